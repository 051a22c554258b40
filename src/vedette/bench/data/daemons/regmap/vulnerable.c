/* regmapd: a register-map server of a pump controller.
 *
 * Standard input carries a stream of request frames, big-endian:
 *   unit(1) function(1) address(2) count(2) [values: 2 * count]
 * Functions: 3 read registers, 6 write one register (count holds the value),
 * 16 write several, 17 identify. Answers go to standard output, one line each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 0x11
#define REGISTERS 64
#define MOST_AT_ONCE 48
#define INPUT_LIMIT 65536

#ifdef VEDETTE_FUZZER
static char said[256];
#define say(...) snprintf(said, sizeof said, __VA_ARGS__)
#else
#define say(...) printf(__VA_ARGS__)
#endif

struct device {
    uint16_t *holding;
    unsigned writes;
    unsigned faults;
};

struct frame {
    uint8_t function;
    uint16_t address;
    uint16_t count;
    const uint8_t *values;
};

static uint16_t word(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void fault(struct device *device, const char *reason)
{
    device->faults++;
    say("fault: %s\n", reason);
}

/* Reads one frame; returns the bytes it took, 0 when the stream ends inside it. */
static size_t next_frame(const uint8_t *data, size_t size, struct frame *frame)
{
    size_t taken = 6;

    if (size < taken)
        return 0;
    frame->function = data[1];
    frame->address = word(data + 2);
    frame->count = word(data + 4);
    frame->values = data + 6;
    if (frame->function == 16) {
        taken += 2u * frame->count;
        if (size < taken)
            return 0;
    }
    return taken;
}

static void read_registers(struct device *device, const struct frame *frame)
{
    if (frame->address >= REGISTERS || frame->count > REGISTERS - frame->address) {
        fault(device, "read out of range");
        return;
    }
    say("read %u:", frame->address);
    for (unsigned i = 0; i < frame->count; i++)
        say(" %u", device->holding[frame->address + i]);
    say("\n");
}

static void write_register(struct device *device, const struct frame *frame)
{
    if (frame->address >= REGISTERS) {
        fault(device, "write out of range");
        return;
    }
    device->holding[frame->address] = frame->count;
    device->writes++;
    say("wrote 1 at %u\n", frame->address);
}

static void write_registers(struct device *device, const struct frame *frame)
{
    if (frame->address >= REGISTERS || frame->count > MOST_AT_ONCE) {
        fault(device, "write out of range");
        return;
    }
    for (unsigned i = 0; i < frame->count; i++)
        device->holding[frame->address + i] = word(frame->values + 2 * i);
    device->writes++;
    say("wrote %u at %u\n", frame->count, frame->address);
}

static void serve(struct device *device, const struct frame *frame)
{
    switch (frame->function) {
    case 3:
        read_registers(device, frame);
        break;
    case 6:
        write_register(device, frame);
        break;
    case 16:
        write_registers(device, frame);
        break;
    case 17:
        say("pump controller, %u registers, %u writes\n", REGISTERS, device->writes);
        break;
    default:
        fault(device, "function unknown");
    }
}

static int handle(const uint8_t *data, size_t size)
{
    struct device device = {calloc(REGISTERS, sizeof(uint16_t)), 0, 0};
    struct frame frame;
    size_t taken;

    if (device.holding == NULL)
        return 2;
    while (size > 0 && (taken = next_frame(data, size, &frame)) > 0) {
        if (data[0] == UNIT)
            serve(&device, &frame);
        data += taken;
        size -= taken;
    }
    if (size > 0)
        fault(&device, "frame cut short");
    free(device.holding);
    return device.faults > 0;
}

#ifdef VEDETTE_FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    handle(data, size);
    return 0;
}
#else
int main(void)
{
    uint8_t *input = malloc(INPUT_LIMIT);
    size_t size = input ? fread(input, 1, INPUT_LIMIT, stdin) : 0;
    int status = handle(input, size);

    free(input);
    return status;
}
#endif
