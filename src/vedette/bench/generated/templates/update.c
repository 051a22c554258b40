//@manual
$verb0 brings an image, $verb1 verifies its sum, $verb2 installs an image that was verified.
//@constants
#define ROOM $room
#define MODULUS $modulus
#define REST $rest
//@state
struct device {
    unsigned ticks, faults;
    uint8_t image[ROOM];
    size_t size;
    int verified;
};
//@acts
static unsigned sum(const struct device *device)
{
    unsigned found = 0;

    for (size_t i = 0; i < device->size; i++)
        found = (found * 31 + device->image[i]) % MODULUS;
    return found;
}

static void bring(struct device *device, const uint8_t *body, size_t size)
{
    if (size == 0 || size > ROOM) {
        fault(device, "image too large");
        return;
    }
    memcpy(device->image, body, size);
    device->size = size;
    device->verified = $flaw;
    say("image of %u\n", (unsigned)size);
}

static void verify(struct device *device)
{
    if (device->size == 0 || sum(device) != REST) {
        fault(device, "sum");
        return;
    }
    device->verified = 1;
    say("verified\n");
}

static void $frame(struct device *device)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (!device->verified) {
        fault(device, "not verified");
        return;
    }
    HOLDS(sum(device) == REST, "what is installed was verified");
    say("installed %u\n", (unsigned)device->size);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0)
        bring(device, body, size);
    else if (type == $type1 && size == 0)
        verify(device);
    else if (type == $type2 && size == 0)
        $frame(device);
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    (void)device;
}
