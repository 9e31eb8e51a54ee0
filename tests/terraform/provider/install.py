#!/usr/bin/env python3
"""Puts stub providers where `terraform init` finds them.

usage: install.py DEST SCHEMA.json.gz...
DEST gets  mirror/<host>/<ns>/<type>/<version>/<os_arch>/terraform-provider-<type>_v<version>  (a launcher)
and        terraformrc  -> export TF_CLI_CONFIG_FILE=DEST/terraformrc
"""

import gzip, json, os, platform, re, sys
import stub_provider as sp

dest, here = os.path.abspath(sys.argv[1]), os.path.dirname(os.path.abspath(__file__))
arch = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
plat = f"{platform.system().lower()}_{arch}"
sources = []
for path in map(os.path.abspath, sys.argv[2:]):
    doc = json.loads(gzip.open(path).read())
    version = re.search(r"(\d+\.\d+\.\d+)\s*$", doc.get("x_source", "")) or re.search(
        r"(\d+\.\d+\.\d+)", os.path.basename(path)
    )
    for source, schema in doc["provider_schemas"].items():
        d = f"{dest}/mirror/{source}/{version[1]}/{plat}"
        os.makedirs(d, exist_ok=True)
        f = f"{d}/terraform-provider-{source.rsplit('/', 1)[1]}_v{version[1]}"
        with open(f, "w") as fh:
            fh.write(f"#!/bin/sh\nexec {sys.executable} {here}/stub_provider.py {path} {source}\n")
        os.chmod(f, 0o755)
        sources += [source] * (source not in sources)
        with open(path.split(".json")[0] + ".pb", "wb") as fh:
            fh.write(sp.pb_response(schema))
with open(f"{dest}/terraformrc", "w") as fh:
    fh.write(
        f'provider_installation {{\n  filesystem_mirror {{\n    path    = "{dest}/mirror"\n    include = {json.dumps(sources)}\n  }}\n'
        f"  direct {{\n    exclude = {json.dumps(sources)}\n  }}\n}}\ndisable_checkpoint = true\n"
    )
print("export TF_CLI_CONFIG_FILE=" + dest + "/terraformrc")
