"""The end of ``make demo``: the service that was just made answers real requests in workerd.

``python scripts/demo_calls.py FOLDER`` prints the requests and the answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx2 as httpx

from clodo.app.variables import read_variables
from clodo.blueprint import parse
from clodo.blueprint.plan import make_plan
from clodo.blueprint.samples import sample_body
from clodo.proof.host import Host
from clodo.toolchain import ensure


def main(directory: Path) -> int:
    """Serves the folder, creates a row of the first entity that needs no other, and lists it."""
    plan = make_plan(parse((directory / "blueprint.clodo").read_text("utf-8")))
    entity = next(e for e in plan.blueprint.entities if not any(r.required for r in e.references))
    with Host(ensure(print)) as host:
        served = host.serve(directory, bindings=read_variables(directory / ".dev.vars"))
        with httpx.Client(base_url=served.url, timeout=10, trust_env=False) as client:
            path = f"/api/{plan.path(entity)}"
            body = sample_body(entity.fields)
            print(f"\n$ curl -X POST {path} -d '{json.dumps(body)}'")
            made = client.post(path, json=body)
            print(f"{made.status_code} {made.text}")
            print(f"\n$ curl {path}")
            listed = client.get(path)
            print(f"{listed.status_code} {listed.text}")
    done = made.status_code == 201 and listed.status_code == 200
    print("\nThe service answered in workerd." if done else "\nThe service did not answer as it should.")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
