//@manual
$verb0 keeps a text in a slot, $verb1 tells of a slot, $verb2 empties one.
//@constants
#define SLOTS 8
#define ROOM $room
#define LINE $line
//@state
struct device {
    unsigned ticks, faults;
    char *slots[SLOTS];
    unsigned used[SLOTS];
};
//@acts
static void $frame(struct device *device, const uint8_t *body, size_t size)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (size < 1 || body[0] >= SLOTS) {
        fault(device, "no such slot");
        return;
    }
    if (size - 1 > $flaw) {
        fault(device, "text too long");
        return;
    }
    if (device->slots[body[0]] == NULL)
        device->slots[body[0]] = calloc(1, ROOM);
    if (device->slots[body[0]] == NULL)
        return;
    for (size_t i = 1; i < size; i++)
        device->slots[body[0]][i - 1] = (char)body[i];
    device->used[body[0]] = (unsigned)size - 1;
    say("kept %u in slot %u\n", (unsigned)size - 1, body[0]);
}

static void show(struct device *device, unsigned slot)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < device->used[slot]; i++)
        sum += (uint8_t)device->slots[slot][i];
    say("slot %u holds %u, sum %u\n", slot, device->used[slot], sum);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type0)
        $frame(device, body, size);
    else if (size != 1 || body[0] >= SLOTS)
        fault(device, "no such slot");
    else if (type == $type1)
        show(device, body[0]);
    else if (type == $type2)
        device->used[body[0]] = 0;
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    for (unsigned i = 0; i < SLOTS; i++)
        free(device->slots[i]);
}
