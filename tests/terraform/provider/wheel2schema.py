#!/usr/bin/env python3
"""Rebuild a `terraform providers schema -json` document from the prebuilt CDK bindings
(PyPI cdktn-provider-* / cdktf-cdktf-provider-*), without running any of their code.

usage: wheel2schema.py WHEEL OUT.json.gz
"""

import concurrent.futures as cf, gzip, io, json, re, sys, tarfile, zipfile

CLASS = re.compile(r"^class (\w+) extends cdkt[fn]\.(\w+) \{$(.*?)^\}$", re.M | re.S)
HCLFN = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{$(.*?)^\}$", re.M | re.S)
HCLATTR = re.compile(
    r'^ +"?([\w-]+)"?: \{\s*value: (.*?),\s*isBlock: (true|false),\s*type: "(\w+)",\s*storageClassType: "(\w+)"',
    re.M | re.S,
)
MEMBER = re.compile(r"^ +// ([\w-]+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.M)
NEW = re.compile(r'= new (?:cdkt[fn]\.|index_structs_\d+\.|\w+_\d+\.)?(\w+)\(this, "([\w-]+)"(?:, (true|false))?\)')
GET = re.compile(
    r'return (?P<pre>(?:cdkt[fn]\.[\w.]+\()*)this\.(?P<fn>(?:get\w+Attribute|interpolationForAttribute))\([\'"](?P<name>[\w-]+)[\'"]\)'
)
GETTYPE = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getAnyMapAttribute": ["map", "dynamic"],
    "interpolationForAttribute": "dynamic",
}
MAPS = {
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": ["map", "dynamic"],
    "StringMapList": ["list", ["map", "string"]],
    "NumberMapList": ["list", ["map", "number"]],
    "BooleanMapList": ["list", ["map", "bool"]],
    "AnyMapList": ["list", ["map", "dynamic"]],
}
# the bindings do not say which attributes are sensitive: those of a data pipeline, by hand
SENSITIVE = """
google_secret_manager_secret_version.secret_data google_secret_manager_secret_version_access.secret_data
google_secret_manager_regional_secret_version.secret_data google_service_account_key.private_key
google_storage_hmac_key.secret google_storage_bucket_object.content google_composer_user_workloads_secret.data
google_monitoring_notification_channel.sensitive_labels.auth_token google_client_config.access_token
google_monitoring_notification_channel.sensitive_labels.password google_bigquery_connection.cloud_sql.credential.password
google_monitoring_notification_channel.sensitive_labels.service_key google_service_account_access_token.access_token
google_monitoring_uptime_check_config.http_check.auth_info.password google_service_account_id_token.id_token
""".split()
HCLTYPE = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": ["list", "string"],
    "numberList": ["list", "number"],
    "stringMap": ["map", "string"],
}
KINDS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformEphemeralResource": "ephemeral_resource_schemas",
    "TerraformProvider": "provider",
}
IFACE = re.compile(r"^export interface (\w+)(?: extends [\w.]+)? \{$(.*?)^\}$", re.M | re.S)
PROP = re.compile(r'/\*\*((?:(?!\*/).)*?)\*/\s*readonly "?\w+"?(\?)?:', re.S)
DOCLINK = re.compile(r"Docs at Terraform Registry: \{@link \S+ \w+#([\w-]+)\}")


def lower1(s):
    return s[0].lower() + s[1:]


class Module:
    def __init__(self, js, dts):
        self.warn, self.js = [], js
        self.structs = {m[1]: {a[1]: a for a in HCLATTR.finditer(m[2])} for m in HCLFN.finditer(js)}
        self.classes = {m[1]: (m[2], m[3]) for m in CLASS.finditer(js)}
        self.docs, self.needed = {}, {}
        for m in IFACE.finditer(dts):
            d = self.docs.setdefault(m[1], {})
            for p in PROP.finditer(m[2]):
                text = "\n".join(x.strip().lstrip("*").strip() for x in p[1].splitlines())
                link = DOCLINK.search(text)
                if link:
                    d[link[1]] = text[: link.start()].strip()
                    self.needed.setdefault(m[1], {})[link[1]] = p[2] is None

    def members(self, body, iface, hcl={}):
        """(name, computed, optional, required, source) of every argument and attribute of a class.

        Wheels compiled for ES2022 keep a comment with the three flags beside each member; older ones
        keep it only beside some, so the flags then come from the .d.ts interface and `computed` is None."""
        flags = {m[1]: tuple(x == "true" for x in m.groups()[1:]) for m in MEMBER.finditer(body)}
        needed, seen = self.needed.get(iface, {}), {}
        for m in NEW.finditer(body):
            seen[m[2]] = m
        for m in GET.finditer(body):
            seen.setdefault(m["name"], m)
        for name in sorted(flags.keys() - seen.keys() - hcl.keys()):
            self.warn.append(iface + "." + name + ": no type found")
        for name in hcl:
            seen.setdefault(name, hcl[name])
        for name, m in seen.items():
            if name in flags:
                c, o, r = flags[name]
            elif name in needed:
                c, o, r = None, not needed[name], needed[name]
            else:
                self.warn.append(iface + "." + name + ": no flags found")
                c, o, r = None, True, False
            yield name, c, o, r, m

    def objtype(self, cls, path=()):
        """cty object type of a *OutputReference class, for attributes holding objects."""
        out = {}
        if cls in path:  # the bindings fold equal nested structs into one
            return ["object", out]
        for name, c, o, r, m in self.members(self.classes[cls][1], re.sub(r"OutputReference$", "", cls)):
            out[name] = self.attrtype(m, path + (cls,))
        return ["object", out]

    def attrtype(self, m, path=()):
        if m.re is HCLATTR:  # provider arguments have no typed getter
            return HCLTYPE.get(m[5], "dynamic")
        if m.re is NEW:
            k, wraps = m[1], m[3] == "true"
            if k in MAPS:
                t = MAPS[k]
                return ["set", t[1]] if wraps and t[0] == "list" else t
            for suffix, coll in (("List", "set" if wraps else "list"), ("Map", "map")):
                base = k[: -len(suffix)] + "OutputReference"
                if k.endswith(suffix) and base in self.classes:
                    return [coll, self.objtype(base, path)]
            if k.endswith("OutputReference"):
                return self.objtype(k, path)  # refined by the caller
            self.warn.append("new " + k)
            return "dynamic"
        t = GETTYPE.get(m["fn"])
        if t is None:
            self.warn.append(m[0])
            return "dynamic"
        if "Fn.tolist(" in m["pre"] and isinstance(t, list):
            t = ["set", t[1]]
        return t

    def block(self, cls, hcl, iface, path=()):
        attrs, blocks, docs = {}, {}, self.docs.get(iface, {})
        if cls in path:
            return {"attributes": {}}
        path += (cls,)
        for name, computed, optional, required, m in self.members(
            self.classes[cls][1] if cls in self.classes else "", iface, hcl
        ):
            h = hcl.get(name)
            nested = m.re is NEW and m[1] not in MAPS
            struct = m.re is HCLATTR and re.search(r"(\w+)ToHclTerraform(?:, true\))?\(", m[2])
            struct = struct and struct[1] in self.structs and struct[1]
            if struct:  # a block of the provider's own configuration
                i = struct[0].upper() + struct[1:]
                blocks[name] = {
                    "nesting_mode": "list",
                    "block": self.block(i + "OutputReference", self.structs[struct], i, path),
                }
                if "Mapper" not in m[2]:
                    blocks[name]["max_items"] = 1
                continue
            if nested and h:
                kls, value, htype = m[1], h[2], h[4]
                mapper = re.search(r"Mapper(?:Hcl)?\((\w+), (true|false)\)", value)
                base = re.sub(r"(OutputReference|List|Map)$", "", kls)
                if h[3] == "true" and (mapper is None or mapper[2] == "true"):
                    b = {"block": self.block(base + "OutputReference", self.structs.get(lower1(base), {}), base, path)}
                    if kls.endswith("OutputReference"):
                        b["nesting_mode"] = {"struct": "single", "set": "set"}.get(htype, "list")
                        if htype != "struct":
                            b["max_items"] = 1
                    else:
                        b["nesting_mode"] = "set" if htype == "set" or m[3] == "true" else "list"
                    if required:
                        b["min_items"] = 1
                    if docs.get(name, name + " block.") != name + " block.":
                        b["block"]["description"] = docs[name]
                    blocks[name] = b
                    continue
                t = self.attrtype(m)
                if kls.endswith("OutputReference") and htype in ("list", "set"):
                    t = [htype, t]
            else:
                t = self.attrtype(m)
                if nested and m[1].endswith("OutputReference"):
                    self.warn.append("computed single " + name)
            if h and h[4] == "set" and isinstance(t, list) and t[0] == "list":
                t = ["set", t[1]]
            a = {"type": t}
            for k, v in (("computed", computed), ("optional", optional), ("required", required)):
                if v:
                    a[k] = True
            if computed is None:
                a["x_computed_unknown"] = True
            if docs.get(name):
                a["description"] = docs[name]
            attrs[name] = a
        out = {"attributes": attrs}
        if blocks:
            out["block_types"] = blocks
        return out

    def convert(self):
        for cls, (sup, body) in self.classes.items():
            if sup not in KINDS:
                continue
            t = re.search(r"(?:static|" + cls + r'\.)\s*tfResourceType = "([\w-]+)"', self.js)
            i = body.find("synthesizeHclAttributes()")
            hcl = {a[1]: a for a in HCLATTR.finditer(body[i:])} if i >= 0 else {}
            return KINDS[sup], t[1], self.block(cls, hcl, cls + "Config"), self.warn
        return None


def work(pair):
    return Module(*pair).convert()


def main(wheel, out):
    z = zipfile.ZipFile(wheel)
    tgz = next(n for n in z.namelist() if n.endswith(".jsii.tgz"))
    meta = z.read(next(n for n in z.namelist() if n.endswith("/METADATA"))).decode()
    src, ver = re.search(r"registry\.terraform\.io/providers/([\w-]+/[\w-]+)/([\d.]+)", meta).groups()
    files = {}
    with tarfile.open(fileobj=io.BytesIO(z.read(tgz))) as t:
        for m in t:
            f = re.fullmatch(r"package/lib/([^/]+)/.*\.(js|d\.ts)", m.name)  # big resources have index-structs/*
            if m.isfile() and f:
                files[f[1], f[2]] = files.get(f.groups(), "") + t.extractfile(m).read().decode()
    dirs = sorted({d for d, _ in files})
    doc = {
        "provider": {"version": 0, "block": {}},
        "resource_schemas": {},
        "data_source_schemas": {},
        "ephemeral_resource_schemas": {},
    }
    warns = 0
    with cf.ProcessPoolExecutor() as ex:
        for d, r in zip(dirs, ex.map(work, [(files[d, "js"], files[d, "d.ts"]) for d in dirs], chunksize=32)):
            if not r:
                continue
            kind, tname, block, warn = r
            warns += len(warn)
            for w in warn:
                print("warning:", d, w, file=sys.stderr)
            s = {"version": 0, "block": block}
            if kind == "provider":
                doc["provider"] = s
            else:
                doc[kind][tname] = s
    doc = {
        "format_version": "1.0",
        "x_source": f"{wheel.rsplit('/', 1)[-1]} = {src} {ver}",
        "provider_schemas": {"registry.terraform.io/" + src: doc},
    }
    for path in SENSITIVE:
        t, *steps, last = path.split(".")
        for kind in ("resource_schemas", "data_source_schemas"):
            b = doc["provider_schemas"]["registry.terraform.io/" + src][kind].get(t, {}).get("block", {})
            for s in steps:
                b = b.get("block_types", {}).get(s, {}).get("block", {})
            if last in b.get("attributes", {}):
                b["attributes"][last]["sensitive"] = True
    with gzip.GzipFile(out, "wb", mtime=0) as g:
        g.write(json.dumps(doc, separators=(",", ":"), sort_keys=True).encode())
    p = doc["provider_schemas"]["registry.terraform.io/" + src]
    print(src, ver, {k: len(v) for k, v in p.items() if k.endswith("schemas")}, "warnings", warns)


if __name__ == "__main__":
    main(*sys.argv[1:])
