//@manual
$verb0 takes a setpoint in decimal digits, $verb1 drives to it, $verb2 tells of it.
//@constants
#define LOWEST $lowest
#define HIGHEST $highest
//@state
struct device {
    unsigned ticks, faults;
    long setpoint;
    int given;
};
//@acts
static int number(const uint8_t *text, size_t size, long *value)
{
    size_t at = size > 1 && text[0] == '-' ? 1 : 0;

    *value = 0;
    if (size == 0 || size > 9)
        return 0;
    for (size_t i = at; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *value = *value * 10 + (text[i] - '0');
    }
    if (at == 1)
        *value = -*value;
    return 1;
}

static void take(struct device *device, const uint8_t *body, size_t size)
{
    long value;

    if (!number(body, size, &value)) {
        fault(device, "no number");
        return;
    }
    if ($flaw) {
        fault(device, "out of range");
        return;
    }
    device->setpoint = value;
    device->given = 1;
    say("setpoint %ld\n", value);
}

static void $frame(struct device *device)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (!device->given) {
        fault(device, "no setpoint");
        return;
    }
    HOLDS(device->setpoint >= LOWEST && device->setpoint <= HIGHEST, "the drive stays in range");
    say("driven to %ld\n", device->setpoint);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0)
        take(device, body, size);
    else if (type == $type1 && size == 0)
        $frame(device);
    else if (type == $type2 && size == 0)
        say("holds %ld\n", device->setpoint);
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    (void)device;
}
