# Runs a service in Python and, in another process, what it acts on, which knows a rule and watches.
#
# `build.py` writes SERVICE and OUTSIDE, two sources, before this text; the whole is one program of
# the system's Python. `serve(data, act)` of the service is called with standard input; `act(name,
# *values)` of numbers and bytes calls the method of that name of `Outside` in the other process,
# with the values as bytes, and returns when that has. A method returns the rule that was broken, in
# words, or nothing. A broken rule ends both; the report goes where ASAN_OPTIONS says, in a form
# like the sanitizers'. Nothing that the service prints can pass for one. What it did is printed at
# the end by the other process, with its count on the last line, so that acts can't be made up.

import os
import sys

LIMIT = 65536
REPORTED = 86


def serve(acts, answers):
    """The service's process: returns its exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def act(name, *values):
        caller = sys._getframe(1)
        said = [name, caller.f_code.co_name, str(caller.f_lineno)]
        for value in values:
            said.append((value if isinstance(value, bytes) else str(value).encode()).hex())
        os.write(acts, (" ".join(said) + "\n").encode())
        os.read(answers, 1)

    names = {"__name__": "service"}
    exec(compile(SERVICE.decode(), "service.py", "exec"), names)  # noqa: F821, S102
    return int(names["serve"](sys.stdin.buffer.read(LIMIT), act))


def watch(acts, answers, done):
    """The other process: returns the report of a broken rule, or nothing; lists acts in `done`."""
    names = {"__name__": "outside"}
    exec(compile(OUTSIDE.decode(), "outside.py", "exec"), names)  # noqa: F821, S102
    outside = names["Outside"]()
    with os.fdopen(acts, "rb") as lines:
        for line in lines:
            name, function, number, *values = line.decode("ascii").rstrip("\n").split(" ")
            broken = getattr(outside, name)(*map(bytes.fromhex, values))
            if broken:
                return (
                    f"=={os.getpid()}==ERROR: RuleWatch: rule-broken: {broken}\n"
                    f"    #0 0x0 in {function} service.py:{number}\n\n"
                )
            done.append(" ".join(["> " + name, *values]))
            os.write(answers, b".")
    return None


def report(text):
    for option in os.environ.get("ASAN_OPTIONS", "").split(":"):
        if option.startswith("log_path="):
            with open(f"{option[9:]}.{os.getpid()}", "w", encoding="utf-8") as file:
                file.write(text)
            return
    sys.stderr.write(text)


def main():
    acts, acting = os.pipe()
    answered, answers = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(acts)
        os.close(answers)
        status = 1
        try:
            status = serve(acting, answered)
            sys.stdout.flush()
        finally:
            os._exit(status & 255)
    os.close(acting)
    os.close(answered)
    done = []
    broken = watch(acts, answers, done)
    if broken:
        os.kill(child, 9)
        report(broken)
    ended = os.waitpid(child, 0)[1]
    if broken:
        sys.exit(REPORTED)
    print(*done, f"> {len(done)} acts", sep="\n")
    code = os.waitstatus_to_exitcode(ended)
    sys.exit(code if code >= 0 else 128 - code)


main()
