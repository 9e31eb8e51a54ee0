#!/usr/bin/env python3
"""A Terraform provider (plugin protocol 6) that serves somebody else's schema and talks to no cloud.

usage (normally through the launcher that install.py writes):  stub_provider.py SCHEMA.json[.gz] [SOURCE]

SCHEMA is the output of `terraform providers schema -json`, or of wheel2schema.py. Terraform itself checks
names, types, required and nested blocks against it; this program adds the enum values that the schema's
descriptions list, plans computed attributes as unknown, and at apply makes up a value for each.
With TFSTUB_RULES=rules.json ({"google_x": {"attr.path": {"force_new": true, "exactly_one_of": [...], ...}}}) it also
applies rules that the schema cannot say. With TFSTUB_REFUSES=text an apply of what holds that text fails.
"""

import base64, concurrent.futures as cf, datetime, gzip, hashlib, json, os, re, sys, tempfile, threading

import grpc, msgpack
from tf.gen import (
    grpc_controller_pb2 as ctl,
    grpc_controller_pb2_grpc as ctl_rpc,
    grpc_stdio_pb2_grpc as stdio_rpc,
)
from tf.gen import tfplugin_pb2 as pb

UNKNOWN = msgpack.ExtType(0, b"\x00")
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
ENUM = re.compile(r'Possible values: (\["[^\]]*"\])')


def unknown(v):
    return isinstance(v, msgpack.ExtType)


def has_unknown(v):
    return unknown(v) or any(map(has_unknown, v.values() if isinstance(v, dict) else v if isinstance(v, list) else ()))


def load_schema(path, source=None):
    raw = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    p = json.loads(raw)["provider_schemas"]
    return p[source] if source else p[next(iter(p))]


# ---- schema -> protobuf -------------------------------------------------------------------------------------


def pb_block(b):
    out = pb.Schema.Block(version=0, description=b.get("description", ""))
    for n, a in sorted(b.get("attributes", {}).items()):
        out.attributes.append(
            pb.Schema.Attribute(
                name=n,
                type=json.dumps(a["type"]).encode(),
                description=a.get("description", ""),
                required=a.get("required", False),
                optional=a.get("optional", False),
                computed=a.get("computed", False),
                sensitive=a.get("sensitive", False),
                deprecated=a.get("deprecated", False),
            )
        )
    for n, t in sorted(b.get("block_types", {}).items()):
        out.block_types.append(
            pb.Schema.NestedBlock(
                type_name=n,
                block=pb_block(t["block"]),
                nesting=NESTING[t["nesting_mode"]],
                min_items=t.get("min_items", 0),
                max_items=t.get("max_items", 0),
            )
        )
    return out


def pb_schema(s):
    return pb.Schema(version=s.get("version", 0), block=pb_block(s["block"]))


def pb_response(schema):
    return pb.GetProviderSchema.Response(
        provider=pb_schema(schema["provider"]),
        resource_schemas={k: pb_schema(v) for k, v in schema.get("resource_schemas", {}).items()},
        data_source_schemas={k: pb_schema(v) for k, v in schema.get("data_source_schemas", {}).items()},
    ).SerializeToString()


# ---- values -------------------------------------------------------------------------------------------------


def dec(dv):
    return (
        json.loads(dv.json)
        if dv.json
        else msgpack.unpackb(dv.msgpack, raw=False, strict_map_key=False)
        if dv.msgpack
        else None
    )


def enc(v):
    return pb.DynamicValue(msgpack=msgpack.packb(v))


def elements(t, v):
    """The objects inside one nested block's value."""
    if v is None or unknown(v):
        return []
    return [v] if t["nesting_mode"] in ("single", "group") else list(v.values()) if isinstance(v, dict) else v


def walk(block, obj, fn, path=()):
    """Calls fn(obj, name, attribute schema, path) for every attribute, through nested blocks."""
    if obj is None or unknown(obj):
        return
    for n, a in block.get("attributes", {}).items():
        fn(obj, n, a, path + (n,))
    for n, t in block.get("block_types", {}).items():
        for i, e in enumerate(elements(t, obj.get(n))):
            walk(t["block"], e, fn, path + (n, i))


def conform(block, obj):
    """obj with exactly the schema's attributes and blocks (old state, imports)."""
    out = {n: (obj or {}).get(n) for n in block.get("attributes", {})}
    for n, t in block.get("block_types", {}).items():
        v = (obj or {}).get(n)
        m = t["nesting_mode"]
        if m in ("single", "group"):
            out[n] = None if v is None else conform(t["block"], v)
        elif m == "map":
            out[n] = {k: conform(t["block"], e) for k, e in (v or {}).items()}
        else:
            out[n] = [conform(t["block"], e) for e in v or []]
    return out


def at(obj, path):
    """The value at the SDK's path "a.0.b" of a configuration: None when unset."""
    for step in path.split("."):
        if obj is None or unknown(obj):
            return obj
        if step.isdigit():
            obj = obj[int(step)] if isinstance(obj, list) and len(obj) > int(step) else None
        else:
            obj = obj.get(step) if isinstance(obj, dict) else None
    return None if obj == [] else obj


class Stub:
    def __init__(self, schema, rules=None):
        self.schema, self.rules, self.config = schema, rules or {}, {}

    def replaced(self, rtype, prior, planned):
        """force_new attributes and blocks whose value changes"""
        return [
            n
            for n, r in self.rules.get(rtype, {}).items()
            if r.get("force_new") and "." not in n and prior and planned and prior.get(n) != planned.get(n)
        ]

    def check_rules(self, rtype, config, error):
        done = set()
        for path, r in self.rules.get(rtype, {}).items():
            dotted = path.replace(".", ".0.")
            v = at(config, dotted)
            if isinstance(v, str) and r.get("enum") and v and v not in r["enum"]:
                error(path, f"expected {path} to be one of {r['enum']}, got {v}")
            if isinstance(v, str) and any(not re.search(x, v) for x in r.get("regex", ())):
                error(path, f"{path}: {v!r} doesn't match {r['regex']}")
            if v is not None and not unknown(v):
                for o in r.get("conflicts_with", ()):
                    if o != dotted and at(config, o) is not None and not unknown(at(config, o)):
                        error(path, f"{path} conflicts with {o}")
                for o in r.get("required_with", ()):
                    if at(config, o) is None:
                        error(path, f"{path} needs {o} as well")
            if "." in path and at(config, path.rsplit(".", 1)[0].replace(".", ".0.")) is None:
                continue  # the SDK checks groups only where the enclosing block is written
            for kind in ("exactly_one_of", "at_least_one_of"):
                group = tuple(r.get(kind, ()))
                if group and (kind, group) not in done:
                    done.add((kind, group))
                    got = [g for g in group if at(config, g) is not None]
                    sure = [g for g in got if not unknown(at(config, g))]
                    if not got or (kind == "exactly_one_of" and len(sure) > 1):
                        error(
                            path,
                            f"{'exactly one' if kind[0] == 'e' else 'one'} of {', '.join(group)} must be specified",
                        )

    def setting(self, name):
        v = self.config.get(name)
        return v if v is not None and not unknown(v) else None

    def invent(self, rtype, obj, name, t):
        if isinstance(t, list):
            if t[0] == "object":
                return {k: self.invent(rtype, obj, k, x) for k, x in t[1].items()}
            if t[0] in ("list", "set"):
                return [self.invent(rtype, obj, name, t[1])] if isinstance(t[1], list) and t[1][0] == "object" else []
            return {}
        if t == "number":
            return 1
        if t == "bool":
            return False
        seed = hashlib.sha256(
            json.dumps([rtype, {k: v for k, v in obj.items() if isinstance(v, str)}], sort_keys=True).encode()
        ).hexdigest()
        project = (
            obj.get("project") if isinstance(obj.get("project"), str) else self.setting("project") or "stub-project"
        )
        short = next(
            (obj[k] for k in ("name", "account_id", "dataset_id", "topic", "secret_id") if isinstance(obj.get(k), str)),
            seed[:12],
        )
        if name == "project":
            return project
        if name in ("region", "location", "zone"):
            return self.setting(name) or "us-central1"
        if "email" in name or name == "writer_identity":
            e = f"stub-{seed[:8]}@{project}.iam.gserviceaccount.com"
            return "serviceAccount:" + e if name == "writer_identity" else e
        if name in ("number", "unique_id", "project_number"):
            return str(int(seed[:10], 16))
        if "uri" in name or "url" in name or name == "self_link":
            return f"https://stub.invalid/{rtype}/{short}" + ("" if name in ("uri", "url", "self_link") else "/" + name)
        if name.endswith("_time") or name in ("time_created", "updated"):
            return "2026-01-01T00:00:00Z"
        if name == "id":
            return f"projects/{project}/{rtype}/{short}"
        if name == "name":
            return f"{rtype.replace('_', '-')}-{seed[:8]}"
        return f"stub-{name}-{seed[:8]}"

    # -- what the real provider's CustomizeDiff already knows at plan time
    def known_at_plan(self, rtype, obj, name):
        if name == "project":
            return self.setting("project")
        if name in ("region", "zone"):
            return self.setting(name)
        if name in ("effective_labels", "terraform_labels") and "labels" in obj and not has_unknown(obj["labels"]):
            labels = {**(self.setting("default_labels") or {}), **(obj["labels"] or {})}
            if self.setting("add_terraform_attribution_label") is not False:
                labels = {"goog-terraform-provisioned": "true", **labels}
            return labels
        if rtype == "google_service_account" and name in ("email", "member"):
            proj = obj.get("project") if isinstance(obj.get("project"), str) else self.setting("project")
            if isinstance(obj.get("account_id"), str) and proj:
                return (
                    "serviceAccount:" if name == "member" else ""
                ) + f"{obj['account_id']}@{proj}.iam.gserviceaccount.com"
        return None

    def plan(self, rtype, block, prior, proposed):
        if proposed is None or prior is not None:
            return proposed  # destroy, or update in place: core already merged prior state

        def fill(obj, n, a, path):
            if a.get("computed") and obj.get(n) is None:
                k = self.known_at_plan(rtype, obj, n) if len(path) == 1 else None
                obj[n] = UNKNOWN if k is None else k

        walk(block, proposed, fill)
        return proposed

    def apply(self, rtype, block, planned):
        def fill(obj, n, a, path):
            if unknown(obj.get(n)):
                obj[n] = self.invent(rtype, obj, n, a["type"])

        walk(block, planned, fill)
        return planned

    def read(self, rtype, block, config):
        def fill(obj, n, a, path):
            if a.get("computed") and obj.get(n) is None:
                obj[n] = self.invent(rtype, obj, n, a["type"])

        walk(block, config, fill)
        return config

    def validate(self, block, config, rtype=None):
        diags = []
        if rtype and config is not None:
            self.check_rules(
                rtype,
                config,
                lambda path, text: diags.append(
                    pb.Diagnostic(
                        severity=pb.Diagnostic.ERROR,
                        summary="Rule of the provider's own validation",
                        detail=text,
                        attribute=pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=path.split(".")[0])]),
                    )
                ),
            )

        def check(obj, n, a, path):
            v, m = obj.get(n), ENUM.search(a.get("description", ""))
            steps = [
                pb.AttributePath.Step(attribute_name=s)
                if isinstance(s, str)
                else pb.AttributePath.Step(element_key_int=s)
                for s in path
            ]
            if v is not None and a.get("computed") and not a.get("optional"):  # the SDK's check, not core's
                diags.append(
                    pb.Diagnostic(
                        severity=pb.Diagnostic.ERROR,
                        summary="Value for unconfigurable attribute",
                        detail=f"Can't configure a value for {n!r}: its value will be decided automatically.",
                        attribute=pb.AttributePath(steps=steps),
                    )
                )
            if m and isinstance(v, str) and v:
                try:
                    allowed = json.loads(m[1])
                except ValueError:
                    return
                if v not in allowed:
                    diags.append(
                        pb.Diagnostic(
                            severity=pb.Diagnostic.ERROR,
                            summary=f"Value not listed in the documentation of {n}",
                            detail=f"{n} is {v!r}; documented values: {', '.join(allowed)}.",
                            attribute=pb.AttributePath(steps=steps),
                        )
                    )

        walk(block, config, check)
        return diags


# ---- gRPC ---------------------------------------------------------------------------------------------------


def handlers(stub, schema_bytes):
    res = lambda t: stub.schema["resource_schemas"][t]["block"]
    dat = lambda t: stub.schema["data_source_schemas"][t]["block"]
    h = {}

    def rpc(msg, name=None, raw=False):
        def deco(fn):
            h[name or fn.__name__] = grpc.unary_unary_rpc_method_handler(
                lambda r, c: fn(r),
                request_deserializer=msg.Request.FromString,
                response_serializer=(lambda b: b) if raw else msg.Response.SerializeToString,
            )

        return deco

    @rpc(pb.GetProviderSchema, raw=True)
    def GetProviderSchema(r):
        return schema_bytes

    @rpc(pb.ValidateProviderConfig)
    def ValidateProviderConfig(r):
        return pb.ValidateProviderConfig.Response(
            diagnostics=stub.validate(stub.schema["provider"]["block"], dec(r.config))
        )

    @rpc(pb.ConfigureProvider)
    def ConfigureProvider(r):
        stub.config = dec(r.config) or {}
        return pb.ConfigureProvider.Response()

    @rpc(pb.ValidateResourceConfig)
    def ValidateResourceConfig(r):
        return pb.ValidateResourceConfig.Response(
            diagnostics=stub.validate(res(r.type_name), dec(r.config), r.type_name)
        )

    @rpc(pb.ValidateDataResourceConfig)
    def ValidateDataResourceConfig(r):
        return pb.ValidateDataResourceConfig.Response(diagnostics=stub.validate(dat(r.type_name), dec(r.config)))

    @rpc(pb.UpgradeResourceState)
    def UpgradeResourceState(r):
        return pb.UpgradeResourceState.Response(
            upgraded_state=enc(conform(res(r.type_name), json.loads(r.raw_state.json)))
        )

    @rpc(pb.ReadResource)
    def ReadResource(r):
        return pb.ReadResource.Response(new_state=r.current_state, private=r.private)

    @rpc(pb.PlanResourceChange)
    def PlanResourceChange(r):
        prior = dec(r.prior_state)
        v = stub.plan(r.type_name, res(r.type_name), prior, dec(r.proposed_new_state))
        paths = [
            pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=n)])
            for n in stub.replaced(r.type_name, prior, v)
        ]
        return pb.PlanResourceChange.Response(
            planned_state=enc(v), planned_private=r.prior_private, requires_replace=paths
        )

    @rpc(pb.ApplyResourceChange)
    def ApplyResourceChange(r):
        refused = os.environ.get("TFSTUB_REFUSES")
        if refused and refused in json.dumps(dec(r.planned_state), default=str):
            error = pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=f"{refused} is refused")
            return pb.ApplyResourceChange.Response(
                new_state=r.prior_state, private=r.planned_private, diagnostics=[error]
            )
        v = stub.apply(r.type_name, res(r.type_name), dec(r.planned_state))
        return pb.ApplyResourceChange.Response(new_state=enc(v), private=r.planned_private)

    @rpc(pb.ImportResourceState)
    def ImportResourceState(r):
        v = stub.read(r.type_name, res(r.type_name), {**conform(res(r.type_name), {}), "id": r.id})
        return pb.ImportResourceState.Response(
            imported_resources=[pb.ImportResourceState.ImportedResource(type_name=r.type_name, state=enc(v))]
        )

    @rpc(pb.ReadDataSource)
    def ReadDataSource(r):
        return pb.ReadDataSource.Response(state=enc(stub.read(r.type_name, dat(r.type_name), dec(r.config))))

    @rpc(pb.StopProvider)
    def StopProvider(r):
        return pb.StopProvider.Response()

    return h


def self_signed():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    ku = dict.fromkeys(("content_commitment", "data_encipherment", "crl_sign", "encipher_only", "decipher_only"), False)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_encipherment=True, key_agreement=True, key_cert_sign=True, **ku),
            True,
        )
        .add_extension(
            x509.ExtendedKeyUsage(
                [x509.OID_SERVER_AUTH, x509.OID_CLIENT_AUTH]
                if hasattr(x509, "OID_SERVER_AUTH")
                else [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            True,
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    pem = cert.public_bytes(ser.Encoding.PEM)
    kpem = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    return cert.public_bytes(ser.Encoding.DER), grpc.ssl_server_credentials([(kpem, pem)])


def main():
    path, source = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    schema = load_schema(path, source)
    cache = path.split(".json")[0] + ".pb"
    blob = (
        open(cache, "rb").read()
        if os.path.exists(cache) and os.path.getmtime(cache) >= os.path.getmtime(path)
        else pb_response(schema)
    )
    rules = os.environ.get("TFSTUB_RULES")
    stub = Stub(schema, json.load(open(rules)) if rules else None)
    stop = threading.Event()
    big = [("grpc.max_send_message_length", 1 << 28), ("grpc.max_receive_message_length", 1 << 28)]
    server = grpc.server(cf.ThreadPoolExecutor(max_workers=10), options=big)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin6.Provider", handlers(stub, blob)),))

    class Controller(ctl_rpc.GRPCControllerServicer):
        def Shutdown(self, request, context):
            stop.set()
            return ctl.Empty()

    class Stdio(stdio_rpc.GRPCStdioServicer):
        def StreamStdio(self, request, context):
            return iter([])

    ctl_rpc.add_GRPCControllerServicer_to_server(Controller(), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    with tempfile.TemporaryDirectory() as tmp:
        der, creds = self_signed()
        server.add_secure_port(f"unix://{tmp}/s", creds)
        server.start()
        print(
            "|".join(("1", "6", "unix", f"{tmp}/s", "grpc", base64.b64encode(der).decode().rstrip("="))),
            flush=True,
        )
        stop.wait()
        server.stop(grace=0.2).wait()


if __name__ == "__main__":
    main()
