/* telemd: takes telemetry of substations and prints it as lines.
 *
 * Standard input carries one packet: "TM" version(1) length(2, big-endian) body.
 * The body is a list of tag(1) length(1) value: 0x10 sample (id 2, value 4),
 * 0x20 label (text), 0x30 group (kind 1, then a nested list), 0x40 heartbeat.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2
#define DEEPEST 4
#define LABEL 16
#define GROUP_FEEDER 0x02
#define INPUT_LIMIT 65536

#ifdef VEDETTE_FUZZER
static char said[256];
#define say(...) snprintf(said, sizeof said, __VA_ARGS__)
#else
#define say(...) printf(__VA_ARGS__)
#endif

enum tag { SAMPLE = 0x10, LABEL_TEXT = 0x20, GROUP = 0x30, HEARTBEAT = 0x40 };

struct station {
    unsigned samples;
    unsigned groups;
    unsigned ignored;
    char label[LABEL];
};

static int parse_list(struct station *station, const uint8_t *data, size_t size, int depth);

static uint16_t word(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static int32_t value_of(const uint8_t *bytes)
{
    return (int32_t)((uint32_t)word(bytes) << 16 | word(bytes + 2));
}

/* A label is printed between quotes, control characters as dots. */
static void printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~' || *text == '"')
            *text = '.';
}

static int take_sample(struct station *station, const uint8_t *data, size_t size, const char *label)
{
    if (size != 6)
        return -1;
    station->samples++;
    say("%s sample %u = %d\n", label, word(data), value_of(data + 2));
    return 0;
}

static int take_label(struct station *station, const uint8_t *data, size_t size)
{
    if (size >= sizeof station->label)
        return -1;
    memcpy(station->label, data, size);
    station->label[size] = '\0';
    printable(station->label);
    return 0;
}

/* A feeder carries its own label, which stands in front of its samples only. */
static int take_feeder(struct station *station, const uint8_t *data, size_t size)
{
    char label[LABEL] = "feeder";
    size_t used = 0;

    while (size - used >= 2) {
        const uint8_t *value = data + used + 2;
        size_t length = data[used + 1];

        if (length > size - used - 2)
            return -1;
        if (data[used] == LABEL_TEXT) {
            memcpy(label, value, length);
            label[length] = '\0';
            printable(label);
        } else if (data[used] == SAMPLE) {
            if (take_sample(station, value, length, label) != 0)
                return -1;
        } else {
            station->ignored++;
        }
        used += 2 + length;
    }
    return used == size ? 0 : -1;
}

static int take_group(struct station *station, const uint8_t *data, size_t size, int depth)
{
    if (size < 1 || depth >= DEEPEST)
        return -1;
    station->groups++;
    if (data[0] == GROUP_FEEDER)
        return take_feeder(station, data + 1, size - 1);
    return parse_list(station, data + 1, size - 1, depth + 1);
}

static int parse_list(struct station *station, const uint8_t *data, size_t size, int depth)
{
    while (size >= 2) {
        const uint8_t *value = data + 2;
        size_t length = data[1];
        int status = 0;

        if (length > size - 2)
            return -1;
        switch (data[0]) {
        case SAMPLE:
            status = take_sample(station, value, length, station->label);
            break;
        case LABEL_TEXT:
            status = take_label(station, value, length);
            break;
        case GROUP:
            status = take_group(station, value, length, depth);
            break;
        case HEARTBEAT:
            break;
        default:
            station->ignored++;
        }
        if (status != 0)
            return -1;
        data = value + length;
        size -= 2 + length;
    }
    return size == 0 ? 0 : -1;
}

static int handle(const uint8_t *data, size_t size)
{
    struct station station = {0, 0, 0, "station"};

    if (size < 5 || memcmp(data, "TM", 2) != 0 || data[2] != VERSION) {
        say("no telemetry packet\n");
        return 1;
    }
    if (word(data + 3) > size - 5) {
        say("packet cut short\n");
        return 1;
    }
    if (parse_list(&station, data + 5, word(data + 3), 0) != 0) {
        say("malformed after %u samples\n", station.samples);
        return 1;
    }
    say("%u samples, %u groups, %u ignored\n", station.samples, station.groups, station.ignored);
    return 0;
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
