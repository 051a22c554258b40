//@manual
$verb0 begins a transfer, $verb1 adds to it, $verb2 breaks it off.
//@constants
#define ROOM $room
//@state
struct device {
    unsigned ticks, faults;
    uint8_t *buffer;
    unsigned length;
    int open;
};
//@acts
static void begin(struct device *device)
{
    if (device->open) {
        fault(device, "already open");
        return;
    }
    device->buffer = malloc(ROOM);
    device->open = device->buffer != NULL;
    device->length = 0;
    say("transfer open\n");
}

static void add(struct device *device, const uint8_t *body, size_t size)
{
    if (!device->open || size > ROOM - device->length) {
        fault(device, "not taken");
        return;
    }
    memcpy(device->buffer + device->length, body, size);
    device->length += (unsigned)size;
    say("transfer of %u\n", device->length);
}

static void $frame(struct device *device)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if ($flaw) {
        fault(device, "nothing open");
        return;
    }
    free(device->buffer);
    device->open = 0;
    say("broken off after %u\n", device->length);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0)
        begin(device);
    else if (type == $type1)
        add(device, body, size);
    else if (type == $type2)
        $frame(device);
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    if (device->open)
        free(device->buffer);
}
