//@manual
$verb0 opens a session by its number, $verb1 works in the last one opened, $verb2 closes one.
//@constants
#define SESSIONS 8
//@state
struct session {
    unsigned number, worked;
    char owner[$room];
};

struct device {
    unsigned ticks, faults;
    struct session *sessions[SESSIONS];
    struct session *last;
};
//@acts
static void begin(struct device *device, unsigned number)
{
    struct session *session = device->sessions[number];

    if (session == NULL)
        session = calloc(1, sizeof *session);
    if (session == NULL)
        return;
    session->number = number;
    device->sessions[number] = device->last = session;
    say("session %u open\n", number);
}

static void $frame(struct device *device, const uint8_t *body, size_t size)
{
    struct session *session = device->last;

    if (device->ticks < WARM) {
        fault(device, "too early");
        return;
    }
    if (session == NULL) {
        fault(device, "no session");
        return;
    }
    session->worked += (unsigned)size;
    for (size_t i = 0; i < size; i++)
        session->owner[i % sizeof session->owner] = (char)body[i];
    say("session %u worked %u\n", session->number, session->worked);
}

static void finish(struct device *device, unsigned number)
{
    struct session *session = device->sessions[number];

    if (session == NULL) {
        fault(device, "no session");
        return;
    }
    device->sessions[number] = NULL;
    if ($flaw)
        device->last = NULL;
    free(session);
    say("session %u closed\n", number);
}

static void act(struct device *device, uint8_t type, const uint8_t *body, size_t size)
{
    if (type == $type1)
        $frame(device, body, size);
    else if (size != 1 || body[0] >= SESSIONS)
        fault(device, "no such session");
    else if (type == $type0)
        begin(device, body[0]);
    else if (type == $type2)
        finish(device, body[0]);
    else
        fault(device, "unknown");
}

static void end(struct device *device)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        free(device->sessions[i]);
}
