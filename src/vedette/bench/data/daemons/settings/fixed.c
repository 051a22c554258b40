/* settingsd: loads a settings image into a protection relay.
 *
 * Standard input carries records: kind(1) length(1) payload checksum(2, big-endian).
 * The checksum is a Fletcher sum over kind, length and payload; a record with a wrong one is
 * skipped. A session is HELLO (nonce 4), UNLOCK (each nonce byte turned by the site key),
 * then WRITE (offset 2, bytes) as often as needed, then COMMIT.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE 0xff00
#define HEAD 64
#define NONCE 4
#define INPUT_LIMIT 65536

#ifdef VEDETTE_FUZZER
static char said[256];
#define say(...) snprintf(said, sizeof said, __VA_ARGS__)
#else
#define say(...) printf(__VA_ARGS__)
#endif

enum kind { HELLO = 1, UNLOCK = 2, WRITE = 3, COMMIT = 4 };
enum state { IDLE, GREETED, UNLOCKED };

struct relay {
    enum state state;
    uint8_t nonce[NONCE];
    uint8_t *image;
    unsigned written;
    unsigned faults;
};

static const uint8_t site_key[NONCE] = {0x5a, 0xc3, 0x17, 0x88};

static uint16_t word(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint16_t fletcher(const uint8_t *data, size_t size)
{
    unsigned low = 0, high = 0;

    for (size_t i = 0; i < size; i++) {
        low = (low + data[i]) % 255;
        high = (high + low) % 255;
    }
    return (uint16_t)(high << 8 | low);
}

static void fault(struct relay *relay, const char *reason)
{
    relay->faults++;
    say("fault: %s\n", reason);
}

static void hello(struct relay *relay, const uint8_t *data, size_t size)
{
    if (size != NONCE) {
        fault(relay, "bad hello");
        return;
    }
    memcpy(relay->nonce, data, NONCE);
    relay->state = GREETED;
    say("hello\n");
}

static void unlock(struct relay *relay, const uint8_t *data, size_t size)
{
    if (relay->state != GREETED || size != NONCE) {
        fault(relay, "unlock out of turn");
        return;
    }
    for (unsigned i = 0; i < NONCE; i++) {
        if (data[i] != (relay->nonce[i] ^ site_key[i])) {
            relay->state = IDLE;
            fault(relay, "wrong key");
            return;
        }
    }
    relay->state = UNLOCKED;
    say("unlocked\n");
}

static void write_image(struct relay *relay, const uint8_t *data, size_t size)
{
    if (relay->state != UNLOCKED || size < 3) {
        fault(relay, "write out of turn");
        return;
    }
    uint16_t offset = word(data);
    size_t end = offset + (size - 2);

    if (end > IMAGE) {
        fault(relay, "write past the image");
        return;
    }
    memcpy(relay->image + offset, data + 2, size - 2);
    relay->written += size - 2;
    say("wrote %u at %u\n", (unsigned)(size - 2), offset);
}

static void commit(struct relay *relay)
{
    if (relay->state != UNLOCKED || relay->written == 0) {
        fault(relay, "nothing to commit");
        return;
    }
    say("committed %u bytes, head %04x\n", relay->written, fletcher(relay->image, HEAD));
    relay->state = IDLE;
}

static void obey(struct relay *relay, uint8_t kind, const uint8_t *data, size_t size)
{
    switch (kind) {
    case HELLO:
        hello(relay, data, size);
        break;
    case UNLOCK:
        unlock(relay, data, size);
        break;
    case WRITE:
        write_image(relay, data, size);
        break;
    case COMMIT:
        commit(relay);
        break;
    default:
        fault(relay, "record unknown");
    }
}

static int handle(const uint8_t *data, size_t size)
{
    struct relay relay = {IDLE, {0}, calloc(1, IMAGE), 0, 0};

    if (relay.image == NULL)
        return 2;
    while (size >= 4) {
        size_t length = data[1];

        if (length > size - 4) {
            fault(&relay, "record cut short");
            break;
        }
        if (fletcher(data, 2 + length) == word(data + 2 + length))
            obey(&relay, data[0], data + 2, length);
        else
            fault(&relay, "wrong checksum");
        data += 4 + length;
        size -= 4 + length;
    }
    free(relay.image);
    return relay.faults > 0;
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
