"""Queue offers to the one peer: python -m tests.durability.offers FOLDER NUMBER."""

from __future__ import annotations

import sys
from pathlib import Path

from vedette.site.boot import boot

boot(Path(sys.argv[1]))

from vedette.kernel.ids import new_id  # noqa: E402
from vedette.services.acting import act, instance_actor  # noqa: E402
from vedette.store.models import Peer  # noqa: E402

with act(instance_actor(), None) as doing:
    peer = Peer.objects.get()
    for _ in range(int(sys.argv[2])):
        made = new_id("act")
        body = {"act": made, "kind": "determination-request", "model": "orion-1"}
        doing.send(peer, "engagement.offered", body, thread=made, marking="TLP:AMBER")
