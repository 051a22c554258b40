/* mqueued: a small message queue between the programs of a control room.
 *
 * Standard input carries commands, one a line:
 *   OPEN topic / SUB topic name / PUB topic text / DROP topic / STAT
 * A topic keeps its last message; a subscriber gets it when it joins.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPICS 16
#define NAME 24
#define TEXT 96
#define SUBSCRIBERS 8
#define INPUT_LIMIT 65536

#ifdef VEDETTE_FUZZER
static char said[256];
#define say(...) snprintf(said, sizeof said, __VA_ARGS__)
#else
#define say(...) printf(__VA_ARGS__)
#endif

struct topic {
    char name[NAME];
    char last[TEXT];
    char subscribers[SUBSCRIBERS][NAME];
    unsigned subscribed;
    unsigned published;
};

struct broker {
    struct topic *topics[TOPICS];
    struct topic *recent; /* the topic of the last command: most come in runs */
    unsigned faults;
};

static void fault(struct broker *broker, const char *reason)
{
    broker->faults++;
    say("fault: %s\n", reason);
}

static struct topic *find(struct broker *broker, const char *name)
{
    if (broker->recent != NULL && strcmp(broker->recent->name, name) == 0)
        return broker->recent;
    for (unsigned i = 0; i < TOPICS; i++) {
        if (broker->topics[i] != NULL && strcmp(broker->topics[i]->name, name) == 0) {
            broker->recent = broker->topics[i];
            return broker->topics[i];
        }
    }
    return NULL;
}

static void open_topic(struct broker *broker, const char *name)
{
    if (find(broker, name) != NULL) {
        fault(broker, "topic exists");
        return;
    }
    for (unsigned i = 0; i < TOPICS; i++) {
        if (broker->topics[i] == NULL) {
            struct topic *topic = calloc(1, sizeof *topic);

            if (topic == NULL)
                return;
            strncpy(topic->name, name, NAME - 1);
            broker->topics[i] = topic;
            say("opened %s\n", topic->name);
            return;
        }
    }
    fault(broker, "too many topics");
}

static void subscribe(struct broker *broker, const char *name, const char *who)
{
    struct topic *topic = find(broker, name);

    if (topic == NULL || topic->subscribed == SUBSCRIBERS) {
        fault(broker, "can't subscribe");
        return;
    }
    strncpy(topic->subscribers[topic->subscribed++], who, NAME - 1);
    if (topic->published > 0)
        say("to %s: %s\n", who, topic->last);
}

static void publish(struct broker *broker, const char *name, const char *text)
{
    struct topic *topic = find(broker, name);

    if (topic == NULL) {
        fault(broker, "no such topic");
        return;
    }
    strncpy(topic->last, text, TEXT - 1);
    topic->published++;
    for (unsigned i = 0; i < topic->subscribed; i++)
        say("to %s: %s\n", topic->subscribers[i], topic->last);
}

static void drop(struct broker *broker, const char *name)
{
    for (unsigned i = 0; i < TOPICS; i++) {
        struct topic *topic = broker->topics[i];

        if (topic != NULL && topic->subscribed > 0 && strcmp(topic->name, name) == 0) {
            broker->topics[i] = NULL;
            if (broker->recent == topic)
                broker->recent = NULL;
            free(topic);
            say("dropped %s\n", name);
            return;
        }
    }
    fault(broker, "nothing to drop");
}

static void stat(const struct broker *broker)
{
    for (unsigned i = 0; i < TOPICS; i++)
        if (broker->topics[i] != NULL)
            say("%s: %u subscribed, %u published\n", broker->topics[i]->name,
                broker->topics[i]->subscribed, broker->topics[i]->published);
}

static void obey(struct broker *broker, char *line)
{
    char *verb = strtok(line, " ");
    char *name = strtok(NULL, " ");
    char *rest = strtok(NULL, "");

    if (verb == NULL)
        return;
    if (strcmp(verb, "STAT") == 0)
        stat(broker);
    else if (name == NULL || strlen(name) >= NAME)
        fault(broker, "topic missing or too long");
    else if (strcmp(verb, "OPEN") == 0)
        open_topic(broker, name);
    else if (strcmp(verb, "DROP") == 0)
        drop(broker, name);
    else if (rest == NULL || strlen(rest) >= TEXT)
        fault(broker, "text missing or too long");
    else if (strcmp(verb, "SUB") == 0)
        subscribe(broker, name, rest);
    else if (strcmp(verb, "PUB") == 0)
        publish(broker, name, rest);
    else
        fault(broker, "command unknown");
}

static int handle(const uint8_t *data, size_t size)
{
    struct broker broker = {{NULL}, NULL, 0};
    char *copy = malloc(size + 1);
    char *line = copy;

    if (copy == NULL)
        return 2;
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    while (line != NULL) {
        char *end = strchr(line, '\n');

        if (end != NULL)
            *end++ = '\0';
        obey(&broker, line);
        line = end;
    }
    for (unsigned i = 0; i < TOPICS; i++)
        free(broker.topics[i]);
    free(copy);
    return broker.faults > 0;
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
