"""Check a JSON/YAML document against a message of a Google API's discovery document (PyPI google-api-python-client ships them)."""

import json, sys, yaml, jsonschema


def schema(doc, root):
    d = json.load(open(f"googleapiclient/discovery_cache/documents/{doc}.json"))["schemas"]

    def conv(x):
        o = {}
        if "$ref" in x:
            return {"$ref": "#/$defs/" + x["$ref"]}
        t = x.get("type")
        if t == "object" or "properties" in x:
            o["type"] = "object"
            if "properties" in x:
                o["properties"] = {k: conv(v) for k, v in x["properties"].items()}
                o["additionalProperties"] = False
            if "additionalProperties" in x:
                o["additionalProperties"] = conv(x["additionalProperties"])
        elif t == "array":
            o = {"type": "array", "items": conv(x["items"])}
        elif t == "any":
            o = {}
        elif x.get("format") in ("int64", "uint64"):
            o = {"type": ["string", "integer"]}
        else:
            o = {"type": t}
        if "enum" in x:
            o["enum"] = x["enum"]
        if x.get("readOnly"):
            pass
        return o

    return {"$ref": "#/$defs/" + root, "$defs": {k: conv(v) for k, v in d.items()}}


if __name__ == "__main__":
    s = schema(*sys.argv[1:3])
    v = jsonschema.Draft202012Validator(s)
    rc = 0
    for f in sys.argv[3:]:
        errs = sorted(v.iter_errors(yaml.safe_load(open(f))), key=str)
        print(f, "ok" if not errs else "; ".join(f"{e.json_path}: {e.message[:110]}" for e in errs))
        rc |= bool(errs)
    sys.exit(rc)
