"""Whether a Kubernetes manifest is one: every key known, every needed one there, every value of its type.

The API's own objects are held against the models of its Python client (Debian's python3-kubernetes), which are made
from the API's OpenAPI schema.  The Prometheus operator's are not in it.  The schema of them below is written here, not the
operator's own: a part, names, types and patterns compared by hand with its CRDs (podmonitors of v0.87.0, prometheusrules of v0.76.0;
example/prometheus-operator-crd in its repository).  It is narrower: a field of theirs that is not below is refused, and add it
here from there; what it takes, they take.
"""

import re

import jsonschema
from kubernetes import client

API = {("apps/v1", "DaemonSet"): "V1DaemonSet", ("v1", "Namespace"): "V1Namespace", ("v1", "ConfigMap"): "V1ConfigMap",
       ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy"}
SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "datetime": str}
PORT = ("target_port", "port", "max_unavailable", "max_surge")  # IntOrString: the models say object or str


def operators(spec):
    """The schema of one of the operator's kinds."""
    metadata = {"type": "object", "additionalProperties": False, "required": ["name"],
                "properties": {"name": {"type": "string"}, "namespace": {"type": "string"},
                               "labels": {"type": "object", "additionalProperties": {"type": "string"}}}}
    return {"type": "object", "additionalProperties": False, "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {"apiVersion": {"const": "monitoring.coreos.com/v1"}, "kind": {}, "metadata": metadata, "spec": spec}}


def closed(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION = {"type": "string", "pattern": "^(0|{})$".format("".join(f"([0-9]+{unit})?" for unit in ("y", "w", "d", "h", "m", "s", "ms")))}
RELABELING = closed([], sourceLabels={"type": "array", "items": TEXT}, targetLabel=TEXT, regex=TEXT, replacement={"type": "string"}, separator=TEXT,
                    action={"enum": ["replace", "keep", "drop", "labeldrop", "labelkeep", "labelmap", "hashmod", "lowercase", "uppercase"]})
ENDPOINT = closed(["port"], port=TEXT, path=TEXT, interval=DURATION, scrapeTimeout=DURATION, honorLabels={"type": "boolean"},
                  relabelings={"type": "array", "items": RELABELING}, metricRelabelings={"type": "array", "items": RELABELING})
RULE = closed(["expr"], record=TEXT, alert=TEXT, expr={"type": ["string", "integer"]}, labels=TEXTS, annotations=TEXTS, **{"for": DURATION})
GROUP = closed(["name", "rules"], name=TEXT, interval=DURATION, rules={"type": "array", "items": RULE})
OPERATOR = {
    "PodMonitor": operators(closed(["selector", "podMetricsEndpoints"], selector=closed([], matchLabels=TEXTS),
                                   podMetricsEndpoints={"type": "array", "minItems": 1, "items": ENDPOINT})),
    "PrometheusRule": operators(closed(["groups"], groups={"type": "array", "items": GROUP})),
}


def errors(value, kind, where):
    """What is wrong with `value` as an object of the client's type `kind`."""
    inner = re.match(r"(list|dict)\((?:str, ?)?(.*)\)|(list|dict)\[(?:str, ?)?(.*)\]", kind)
    if inner:
        shape, of = inner[1] or inner[3], inner[2] or inner[4]
        if not isinstance(value, list if shape == "list" else dict):
            return [f"{where}: {value!r} is no {shape}"]
        items = enumerate(value) if shape == "list" else value.items()
        return [error for key, item in items for error in errors(item, of, f"{where}[{key}]")]
    if kind in SCALARS:
        number = kind in ("int", "float") and isinstance(value, bool)
        return [] if isinstance(value, SCALARS[kind]) and not number else [f"{where}: {value!r} is no {kind}"]
    model = getattr(client, kind)
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    return members(value, model, where)


def members(value, model, where):
    names = {key: name for name, key in model.attribute_map.items()}
    found = [f"{where}.{key}: no such key" for key in value if key not in names]
    attributes = {names[key]: item for key, item in value.items() if key in names}
    try:
        model(**attributes, local_vars_configuration=client.Configuration())
    except ValueError as wrong:
        found.append(f"{where}: {wrong}")
    for name, item in attributes.items():
        kind = model.openapi_types[name]
        if not (name in PORT and isinstance(item, (int, str))):
            found += errors(item, kind, f"{where}.{model.attribute_map[name]}")
    return found


def manifest_errors(document):
    where = f"{document.get('kind')}"
    if document.get("kind") in OPERATOR:
        return [f"{where}: {error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(OPERATOR[document["kind"]]).iter_errors(document)]
    model = API.get((document.get("apiVersion"), document.get("kind")))
    return errors(document, model, where) if model else [f"{where}: {document.get('apiVersion')} has no such kind"]
