//@manual
$verb0 signs in by account and pin, $verb1 tells who is in, $verb2 signs out. An account that saw
 * too many wrong pins stays locked.
//@constants
#define ACCOUNTS 4
#define TRIES 3
//@state
struct device {
    unsigned ticks, faults;
    int inside; /* the account signed in and one, 0 for nobody */
    $flaw wrong[ACCOUNTS];
    int locked[ACCOUNTS];
};

static const unsigned pins[ACCOUNTS] = {$pins};
//@acts
static void $frame(struct device *device, unsigned account, unsigned pin)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (account >= ACCOUNTS) {
        fault(device, "no such account");
        return;
    }
    if (pin != pins[account]) {
        if (++device->wrong[account] >= TRIES)
            device->locked[account] = 1;
        fault(device, "wrong pin");
        return;
    }
    if (device->wrong[account] >= TRIES) {
        fault(device, "locked");
        return;
    }
    HOLDS(!device->locked[account], "a locked account stays out");
    device->inside = (int)account + 1;
    say("account %u is in\n", account);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0 && size == 3)
        $frame(device, body[0], (unsigned)body[1] << 8 | body[2]);
    else if (type == $type1 && size == 0)
        say(device->inside ? "somebody is in\n" : "nobody is in\n");
    else if (type == $type2 && size == 0)
        device->inside = 0;
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    (void)device;
}
