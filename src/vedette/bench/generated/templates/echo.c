//@manual
$verb0 writes a text with what is no letter escaped, $verb1 counts, $verb2 forgets the count.
//@constants
#define WIDTH $width
//@state
struct device {
    unsigned ticks, faults;
    unsigned written;
};
//@acts
static void $frame(struct device *device, const uint8_t *body, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char out[WIDTH];
    size_t at = 0;

    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if ($flaw) {
        fault(device, "text too long");
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (body[i] > ' ' && body[i] < 127 && body[i] != '%')
            out[at++] = (char)body[i];
        else {
            out[at++] = '%';
            out[at++] = digits[body[i] >> 4];
            out[at++] = digits[body[i] & 15];
        }
    }
    out[at] = '\0';
    device->written += (unsigned)at;
    say("wrote %s\n", out);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0)
        $frame(device, body, size);
    else if (type == $type1)
        say("%u written\n", device->written);
    else if (type == $type2)
        device->written = 0;
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    (void)device;
}
