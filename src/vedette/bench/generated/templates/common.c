/* $daemon: $purpose
 *
 * Standard input: a greeting, then frames of type, length (two bytes, big end first), body and
 * checksum. A group holds frames. $manual
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_LIMIT 65536
#define GROUP $group
#define TICK $tick
#define LEVEL $depth
#define DEEPEST 6
#define WARM $distance
#define CHECK $check_size
$constants

#ifdef VEDETTE_FUZZER
static char said[512];
#define say(...) snprintf(said, sizeof said, __VA_ARGS__)
#else
#define say(...) printf(__VA_ARGS__)
#endif

/* a rule that this program holds itself to: a breach ends it */
#define HOLDS(rule, name) \
    do { \
        if (!(rule)) { \
            fprintf(stderr, "broken: %s\n", name); \
            abort(); \
        } \
    } while (0)

$state

static void fault(struct device *device, const char *reason)
{
    device->faults++;
    say("fault: %s\n", reason);
}

$acts

static int checked(const uint8_t *data, size_t size)
{
$checking
}

static void frames(struct device *device, const uint8_t *data, size_t size, unsigned level)
{
    size_t at = 0;

    while (size - at >= 3 + CHECK) {
        const uint8_t *body = data + at + 3;
        size_t length = (size_t)data[at + 1] << 8 | data[at + 2];

        if (length > size - at - 3 - CHECK) {
            fault(device, "frame cut short");
            return;
        }
        if (!checked(data + at, 3 + length)) {
            fault(device, "checksum");
            return;
        }
        if (data[at] == GROUP && level < DEEPEST)
            frames(device, body, length, level + 1);
        else if (data[at] == TICK)
            device->ticks++;
        else if (level != LEVEL)
            fault(device, "out of place");
        else
            act(device, data[at], body, length);
        at += 3 + length + CHECK;
    }
    if (at != size)
        fault(device, "bytes left over");
}

static int handle(const uint8_t *data, size_t size)
{
    static const uint8_t magic[4] = {$magic};
    static const uint8_t gates[][2] = {$gates};
    struct device device;
    size_t at = 4;

    memset(&device, 0, sizeof device);
    if (size < 4 + $gate_count || memcmp(data, magic, 4) != 0) {
        say("fault: greeting\n");
        return 1;
    }
    for (size_t gate = 0; gate < $gate_count; gate++, at++) {
        if (data[at] != (uint8_t)(data[at - 1] * gates[gate][0] + gates[gate][1])) {
            say("fault: gate %u\n", (unsigned)gate + 1);
            return 1;
        }
    }
    frames(&device, data + at, size - at, 0);
    end(&device);
    say("done, %u faults\n", device.faults);
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
