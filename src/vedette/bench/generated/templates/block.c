//@manual
$verb0 reserves a block of so many rows of a width, $verb1 tells of it, $verb2 gives it back.
//@constants
#define MOST $most
//@state
struct device {
    unsigned ticks, faults;
    uint8_t *block;
    unsigned rows, width;
};
//@acts
static void $frame(struct device *device, unsigned rows, unsigned width, uint8_t value)
{
    $flaw size = rows * width;

    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (size == 0 || size > MOST) {
        fault(device, "block too large");
        return;
    }
    free(device->block);
    device->block = malloc(size);
    if (device->block == NULL)
        return;
    for (unsigned i = 0; i < rows * width; i++)
        device->block[i] = value;
    device->rows = rows;
    device->width = width;
    say("%u rows of %u\n", rows, width);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0 && size == 4)
        $frame(device, (unsigned)body[0] << 8 | body[1], body[2], body[3]);
    else if (type == $type1 && size == 0)
        say("block %u by %u\n", device->rows, device->width);
    else if (type == $type2 && size == 0) {
        free(device->block);
        device->block = NULL;
        device->rows = device->width = 0;
    } else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    free(device->block);
}
