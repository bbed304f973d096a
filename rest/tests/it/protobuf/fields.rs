//! Every field of a message, whatever its type, and the JSON that a pod's fields stand for.

use kubewire_rest::Timestamp;
use prost::encoding::{DecodeContext, WireType, bytes, check_wire_type, decode_varint};
use prost::{DecodeError, Message};
use serde_json::{Map, Value as Json, json};

/// A message of any type: its fields by their numbers, none passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(u32, Value)>);

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Message for Fields {
    fn encode_raw(&self, _: &mut impl prost::bytes::BufMut) {
        panic!("it is only read");
    }

    fn merge_field(
        &mut self,
        number: u32,
        wire_type: WireType,
        buf: &mut impl prost::bytes::Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let value = if wire_type == WireType::LengthDelimited {
            let mut value = Vec::new();
            bytes::merge(wire_type, &mut value, buf, context)?;
            Value::Bytes(value)
        } else {
            check_wire_type(WireType::Varint, wire_type)?;
            Value::Number(decode_varint(buf)?)
        };
        self.0.push((number, value));
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        0
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

impl Fields {
    /// The JSON that the API server has for the same pod.
    pub fn as_pod(&self) -> Json {
        self.json(POD)
    }

    fn json(&self, table: Table) -> Json {
        let mut object = Map::new();
        for (number, value) in &self.0 {
            let field = table.iter().find(|(known, ..)| known == number);
            let (_, name, kind) = field.unwrap_or_else(|| panic!("field {number} of {table:?}: {value:?}"));
            match kind {
                List(kind) => {
                    let list = object.entry(*name).or_insert_with(|| json!([]));
                    list.as_array_mut().unwrap().push(value.json(kind));
                }
                Entries(kind) => {
                    let (mut key, mut content) = (String::new(), Json::Null);
                    for (number, value) in value.fields().0 {
                        match number {
                            1 => key = value.text(),
                            _ => content = value.json(kind),
                        }
                    }
                    object.entry(*name).or_insert_with(|| json!({}))[key] = content;
                }
                Inline(table) => {
                    let Json::Object(mut inner) = value.fields().json(table) else { unreachable!() };
                    object.append(&mut inner);
                }
                kind => {
                    let json = value.json(kind);
                    // Protobuf has what JSON leaves out.
                    let is_zero = json == json!("") || json == json!(0) || json == json!(false);
                    if !is_zero || matches!(kind, SetNumber | SetFlag) {
                        object.insert((*name).to_owned(), json);
                    }
                }
            }
        }
        Json::Object(object)
    }
}

impl Value {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => panic!("{number}"),
        }
    }

    fn number(&self) -> i64 {
        match self {
            Self::Number(number) => number.cast_signed(),
            Self::Bytes(bytes) => panic!("{bytes:?}"),
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_owned()).unwrap()
    }

    fn fields(&self) -> Fields {
        Fields::decode(self.bytes()).unwrap()
    }

    /// A field of the message that this is.
    fn field(&self, wanted: u32) -> Option<Self> {
        self.fields().0.into_iter().find(|(number, _)| *number == wanted).map(|(_, value)| value)
    }

    fn json(&self, kind: &Of) -> Json {
        match kind {
            Text => self.text().into(),
            Number | SetNumber => self.number().into(),
            Flag | SetFlag => (self.number() != 0).into(),
            Time => Timestamp::from_second(self.field(1).unwrap().number()).unwrap().to_string().into(),
            Quantity => self.field(1).unwrap().text().into(),
            IntOrString if self.field(1).unwrap().number() == 0 => self.field(2).unwrap().number().into(),
            IntOrString => self.field(3).unwrap().text().into(),
            Raw => serde_json::from_slice(self.field(1).unwrap().bytes()).unwrap(),
            Nested(table) => self.fields().json(table),
            List(_) | Entries(_) | Inline(_) => unreachable!("no field holds it alone"),
        }
    }
}

type Table = &'static [(u32, &'static str, Of)];

/// What a field holds.
#[derive(Debug)]
enum Of {
    Text,
    Number,
    Flag,
    /// They may be missing, and are not where they are 0 or false.
    SetNumber,
    SetFlag,
    Time,
    Quantity,
    IntOrString,
    /// JSON.
    Raw,
    Nested(Table),
    /// Its fields stand among those around it.
    Inline(Table),
    List(&'static Of),
    Entries(&'static Of),
}

use Of::{
    Entries, Flag, Inline, IntOrString, List, Nested, Number, Quantity, Raw, SetFlag, SetNumber, Text, Time,
};

const POD: Table =
    &[(1, "metadata", Nested(METADATA)), (2, "spec", Nested(SPEC)), (3, "status", Nested(STATUS))];

const METADATA: Table = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (4, "selfLink", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (7, "generation", Number),
    (8, "creationTimestamp", Time),
    (11, "labels", Entries(&Text)),
    (12, "annotations", Entries(&Text)),
    (15, "clusterName", Text),
    (17, "managedFields", List(&Nested(MANAGED))),
];

const MANAGED: Table = &[
    (1, "manager", Text),
    (2, "operation", Text),
    (3, "apiVersion", Text),
    (4, "time", Time),
    (6, "fieldsType", Text),
    (7, "fieldsV1", Raw),
    (8, "subresource", Text),
];

const SPEC: Table = &[
    (1, "volumes", List(&Nested(VOLUME))),
    (2, "containers", List(&Nested(CONTAINER))),
    (3, "restartPolicy", Text),
    (4, "terminationGracePeriodSeconds", SetNumber),
    (6, "dnsPolicy", Text),
    (7, "nodeSelector", Entries(&Text)),
    (8, "serviceAccountName", Text),
    (9, "serviceAccount", Text),
    (10, "nodeName", Text),
    (11, "hostNetwork", Flag),
    (12, "hostPID", Flag),
    (13, "hostIPC", Flag),
    (14, "securityContext", Nested(POD_SECURITY)),
    (16, "hostname", Text),
    (17, "subdomain", Text),
    (19, "schedulerName", Text),
    (21, "automountServiceAccountToken", SetFlag),
    (22, "tolerations", List(&Nested(TOLERATION))),
    (24, "priorityClassName", Text),
    (25, "priority", SetNumber),
    (30, "enableServiceLinks", SetFlag),
    (31, "preemptionPolicy", Text),
];

const POD_SECURITY: Table = &[
    (2, "runAsUser", SetNumber),
    (3, "runAsNonRoot", SetFlag),
    (4, "supplementalGroups", List(&Number)),
    (5, "fsGroup", SetNumber),
];

const TOLERATION: Table = &[
    (1, "key", Text),
    (2, "operator", Text),
    (3, "value", Text),
    (4, "effect", Text),
    (5, "tolerationSeconds", SetNumber),
];

const VOLUME: Table = &[(1, "name", Text), (2, "", Inline(VOLUME_SOURCE))];

const VOLUME_SOURCE: Table = &[(2, "emptyDir", Nested(EMPTY_DIR)), (19, "configMap", Nested(CONFIG_MAP))];

const EMPTY_DIR: Table = &[(1, "medium", Text), (2, "sizeLimit", Quantity)];

const CONFIG_MAP: Table = &[
    (1, "", Inline(REFERENCE)),
    (2, "items", List(&Nested(ITEM))),
    (3, "defaultMode", SetNumber),
    (4, "optional", SetFlag),
];

const REFERENCE: Table = &[(1, "name", Text)];
const ITEM: Table = &[(1, "key", Text), (2, "path", Text), (3, "mode", SetNumber)];

const CONTAINER: Table = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", List(&Text)),
    (4, "args", List(&Text)),
    (5, "workingDir", Text),
    (6, "ports", List(&Nested(PORT))),
    (7, "env", List(&Nested(VARIABLE))),
    (8, "resources", Nested(RESOURCES)),
    (9, "volumeMounts", List(&Nested(MOUNT))),
    (10, "livenessProbe", Nested(PROBE)),
    (11, "readinessProbe", Nested(PROBE)),
    (13, "terminationMessagePath", Text),
    (14, "imagePullPolicy", Text),
    (15, "securityContext", Nested(SECURITY)),
    (16, "stdin", Flag),
    (17, "stdinOnce", Flag),
    (18, "tty", Flag),
    (20, "terminationMessagePolicy", Text),
];

const PORT: Table = &[
    (1, "name", Text),
    (2, "hostPort", Number),
    (3, "containerPort", Number),
    (4, "protocol", Text),
    (5, "hostIP", Text),
];

const VARIABLE: Table = &[(1, "name", Text), (2, "value", Text), (3, "valueFrom", Nested(SOURCE))];

const SOURCE: Table =
    &[(1, "fieldRef", Nested(FIELD_REFERENCE)), (3, "configMapKeyRef", Nested(KEY_REFERENCE))];

const FIELD_REFERENCE: Table = &[(1, "apiVersion", Text), (2, "fieldPath", Text)];
const KEY_REFERENCE: Table = &[(1, "", Inline(REFERENCE)), (2, "key", Text), (3, "optional", SetFlag)];
const RESOURCES: Table = &[(1, "limits", Entries(&Quantity)), (2, "requests", Entries(&Quantity))];

const MOUNT: Table = &[
    (1, "name", Text),
    (2, "readOnly", Flag),
    (3, "mountPath", Text),
    (4, "subPath", Text),
    (6, "subPathExpr", Text),
];

const PROBE: Table = &[
    (1, "", Inline(HANDLER)),
    (2, "initialDelaySeconds", Number),
    (3, "timeoutSeconds", Number),
    (4, "periodSeconds", Number),
    (5, "successThreshold", Number),
    (6, "failureThreshold", Number),
];

const HANDLER: Table = &[(2, "httpGet", Nested(HTTP_GET)), (3, "tcpSocket", Nested(SOCKET))];
const HTTP_GET: Table =
    &[(1, "path", Text), (2, "port", IntOrString), (3, "host", Text), (4, "scheme", Text)];
const SOCKET: Table = &[(1, "port", IntOrString), (2, "host", Text)];

const SECURITY: Table = &[
    (2, "privileged", SetFlag),
    (4, "runAsUser", SetNumber),
    (5, "runAsNonRoot", SetFlag),
    (7, "allowPrivilegeEscalation", SetFlag),
];

const STATUS: Table = &[
    (1, "phase", Text),
    (3, "message", Text),
    (4, "reason", Text),
    (5, "hostIP", Text),
    (6, "podIP", Text),
    (7, "startTime", Time),
    (9, "qosClass", Text),
    (11, "nominatedNodeName", Text),
];
