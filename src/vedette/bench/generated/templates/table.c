//@manual
$verb0 sets an entry of the table, $verb1 tells of one, $verb2 sums all.
//@constants
#define ENTRIES $entries
//@state
struct device {
    unsigned ticks, faults;
};

static uint16_t table[ENTRIES];
//@acts
static void $frame(struct device *device, unsigned entry, unsigned value)
{
    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if ($flaw) {
        fault(device, "no such entry");
        return;
    }
    table[entry] = (uint16_t)value;
    say("entry %u is %u\n", entry, value);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    unsigned entry = size >= 2 ? (unsigned)body[0] << 8 | body[1] : 0;

    if (type == $type0 && size == 4)
        $frame(device, entry, (unsigned)body[2] << 8 | body[3]);
    else if (type == $type1 && size == 2 && entry < ENTRIES)
        say("entry %u holds %u\n", entry, table[entry]);
    else if (type == $type2 && size == 0) {
        unsigned sum = 0;

        for (unsigned i = 0; i < ENTRIES; i++)
            sum += table[i];
        say("sum %u\n", sum);
    } else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    (void)device;
    memset(table, 0, sizeof table);
}
