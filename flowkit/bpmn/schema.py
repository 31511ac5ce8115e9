"""What the BPMN 2.0 schema allows, as data: attributes, children, their number, types and targets.

One line a type, ``name < base | attributes | children``, in the schema's own order. Attributes:
``name`` (a string), ``name!`` (required), ``name:kind``. Children: ``name`` with ``?`` (0..1), ``!``
(1), ``&`` (1..2), ``+`` (1..n), ``2`` (2..n), ``*`` (0..n); ``name*:type`` where the type is not named
like the element;
``@group`` is any element of a substitution group. Kinds: ``bool``, ``int``, ``int32``, ``number``, ``id``,
``uri``, ``mime`` (a media type), ``technology`` (a URI, or one of the standard's ``##`` words), an
enumeration, or ``ref(target …)``: a reference to an element of one of these types, where ``any`` is any
element and ``free`` is not resolved (types of another language, files that are not read);
``idref(target …)`` is the schema's IDREF: an id of this file, so without prefix.

Source: OMG BPMN 2.0.2, the XML schema tables of chapters 8-13.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["BPMN", "BPMNDI", "ELEMENTS", "GROUPS", "Attribute", "Child", "ElementType", "is_a", "read_table"]

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
"""The namespace of the BPMN 2.0 model."""
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
"""The namespace of its diagrams."""

ENUMERATIONS: dict[str, tuple[str, ...]] = {
    "adHocOrdering": ("Parallel", "Sequential"),
    "associationDirection": ("None", "One", "Both"),
    "choreographyLoopType": ("None", "Standard", "MultiInstanceSequential", "MultiInstanceParallel"),
    "eventBasedGatewayType": ("Exclusive", "Parallel"),
    "gatewayDirection": ("Unspecified", "Converging", "Diverging", "Mixed"),
    "itemKind": ("Information", "Physical"),
    "messageVisibleKind": ("initiating", "non_initiating"),
    "multiInstanceFlowCondition": ("None", "One", "All", "Complex"),
    "participantBandKind": tuple(
        f"{place}_{kind}"
        for kind in ("initiating", "non_initiating")
        for place in ("top", "middle", "bottom")
    ),
    "processType": ("None", "Public", "Private"),
    "relationshipDirection": ("None", "Forward", "Backward", "Both"),
}

GROUPS: dict[str, tuple[str, ...]] = {
    "artifact": ("association", "group", "textAnnotation"),
    "conversationNode": ("callConversation", "conversation", "subConversation"),
    "eventDefinition": (
        "cancelEventDefinition",
        "compensateEventDefinition",
        "conditionalEventDefinition",
        "errorEventDefinition",
        "escalationEventDefinition",
        "linkEventDefinition",
        "messageEventDefinition",
        "signalEventDefinition",
        "terminateEventDefinition",
        "timerEventDefinition",
    ),
    "expression": ("expression", "formalExpression"),
    "flowElement": (
        "adHocSubProcess",
        "boundaryEvent",
        "businessRuleTask",
        "callActivity",
        "callChoreography",
        "choreographyTask",
        "complexGateway",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "endEvent",
        "event",
        "eventBasedGateway",
        "exclusiveGateway",
        "implicitThrowEvent",
        "inclusiveGateway",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "manualTask",
        "parallelGateway",
        "receiveTask",
        "scriptTask",
        "sendTask",
        "sequenceFlow",
        "serviceTask",
        "startEvent",
        "subChoreography",
        "subProcess",
        "task",
        "transaction",
        "userTask",
    ),
    "loopCharacteristics": ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
    "resourceRole": ("resourceRole", "performer", "humanPerformer", "potentialOwner"),
}
GROUPS["rootElement"] = (
    *("category", "choreography", "collaboration", "correlationProperty", "dataStore", "endPoint"),
    *("error", "escalation", "globalBusinessRuleTask", "globalChoreographyTask", "globalConversation"),
    *("globalManualTask", "globalScriptTask", "globalTask", "globalUserTask", "interface"),
    *("itemDefinition", "message", "partnerEntity", "partnerRole", "process", "resource", "signal"),
    *GROUPS["eventDefinition"],
)

_TYPES = """
baseElement | id:id | documentation* extensionElements?
rootElement < baseElement | |
definitions | id:id name targetNamespace!:uri expressionLanguage:uri typeLanguage:uri exporter
  exporterVersion | documentation* extensionElements? import* extension* @rootElement*
  BPMNDiagram* relationship*
import | namespace!:uri location! importType!:uri |
extension | definition:ref(free) mustUnderstand:bool | documentation*
documentation | id:id textFormat:mime | any*
extensionElements | | any*
text | | any*
script | | any*
relationship < baseElement | type! direction:relationshipDirection | source+:ref(free) target+:ref(free)
auditing < baseElement | |
monitoring < baseElement | |

expression < baseElement | | any*
formalExpression < expression | language:uri evaluatesToTypeRef:ref(free) |
itemDefinition < rootElement | structureRef:ref(free) isCollection:bool itemKind:itemKind |
message < rootElement | name itemRef:ref(itemDefinition) |
signal < rootElement | name structureRef:ref(itemDefinition) |
error < rootElement | name errorCode structureRef:ref(itemDefinition) |
escalation < rootElement | name escalationCode structureRef:ref(itemDefinition) |
endPoint < rootElement | |
category < rootElement | name | categoryValue*
categoryValue < baseElement | value |
partnerEntity < rootElement | name | participantRef*:ref(participant)
partnerRole < rootElement | name | participantRef*:ref(participant)
interface < rootElement | name! implementationRef:ref(free) | operation+
operation < baseElement | name! implementationRef:ref(free)
  | inMessageRef!:ref(message) outMessageRef?:ref(message) errorRef*:ref(error)
resource < rootElement | name! | resourceParameter*
resourceParameter < baseElement | name type:ref(free) isRequired:bool |
resourceRole < baseElement | name
  | resourceRef?:ref(resource) resourceParameterBinding* resourceAssignmentExpression?
performer < resourceRole | |
humanPerformer < performer | |
potentialOwner < humanPerformer | |
resourceParameterBinding < baseElement | parameterRef!:ref(resourceParameter) | @expression!
resourceAssignmentExpression < baseElement | | @expression!

correlationProperty < rootElement | name type:ref(free) | correlationPropertyRetrievalExpression+
correlationPropertyRetrievalExpression < baseElement | messageRef!:ref(message)
  | messagePath!:formalExpression
correlationKey < baseElement | name | correlationPropertyRef*:ref(correlationProperty)
correlationSubscription < baseElement | correlationKeyRef!:ref(correlationKey)
  | correlationPropertyBinding*
correlationPropertyBinding < baseElement | correlationPropertyRef!:ref(correlationProperty)
  | dataPath!:formalExpression

dataState < baseElement | name |
dataStore < rootElement | name capacity:int isUnlimited:bool itemSubjectRef:ref(itemDefinition) | dataState?
property < baseElement | name itemSubjectRef:ref(itemDefinition) | dataState?
dataInput < baseElement | name itemSubjectRef:ref(itemDefinition) isCollection:bool | dataState?
dataOutput < baseElement | name itemSubjectRef:ref(itemDefinition) isCollection:bool | dataState?
inputSet < baseElement | name | dataInputRefs*:idref(dataInput) optionalInputRefs*:idref(dataInput)
  whileExecutingInputRefs*:idref(dataInput) outputSetRefs*:idref(outputSet)
outputSet < baseElement | name | dataOutputRefs*:idref(dataOutput) optionalOutputRefs*:idref(dataOutput)
  whileExecutingOutputRefs*:idref(dataOutput) inputSetRefs*:idref(inputSet)
ioSpecification < baseElement | | dataInput* dataOutput* inputSet+ outputSet+
ioBinding < baseElement | operationRef!:ref(operation) inputDataRef!:idref(inputSet)
  outputDataRef!:idref(outputSet) |
dataAssociation < baseElement | | sourceRef*:idref(item) targetRef!:idref(item)
  transformation?:formalExpression assignment*
dataInputAssociation < dataAssociation | |
dataOutputAssociation < dataAssociation | |
assignment < baseElement | | from!:expression to!:expression

flowElement < baseElement | name | auditing? monitoring? categoryValueRef*:ref(categoryValue)
dataObject < flowElement | itemSubjectRef:ref(itemDefinition) isCollection:bool | dataState?
dataObjectReference < flowElement | itemSubjectRef:ref(itemDefinition) dataObjectRef:idref(dataObject)
  | dataState?
dataStoreReference < flowElement | itemSubjectRef:ref(itemDefinition) dataStoreRef:ref(dataStore)
  | dataState?
sequenceFlow < flowElement | sourceRef!:idref(flowNode) targetRef!:idref(flowNode) isImmediate:bool
  | conditionExpression?:expression
flowNode < flowElement | | incoming*:ref(sequenceFlow) outgoing*:ref(sequenceFlow)

gateway < flowNode | gatewayDirection:gatewayDirection |
exclusiveGateway < gateway | default:idref(sequenceFlow) |
inclusiveGateway < gateway | default:idref(sequenceFlow) |
parallelGateway < gateway | |
complexGateway < gateway | default:idref(sequenceFlow) | activationCondition?:expression
eventBasedGateway < gateway | instantiate:bool eventGatewayType:eventBasedGatewayType |

event < flowNode | | property*
catchEvent < event | parallelMultiple:bool | dataOutput* dataOutputAssociation* outputSet?
  @eventDefinition* eventDefinitionRef*:ref(eventDefinition)
throwEvent < event | | dataInput* dataInputAssociation* inputSet? @eventDefinition*
  eventDefinitionRef*:ref(eventDefinition)
startEvent < catchEvent | isInterrupting:bool |
intermediateCatchEvent < catchEvent | |
boundaryEvent < catchEvent | cancelActivity:bool attachedToRef!:ref(activity) |
intermediateThrowEvent < throwEvent | |
implicitThrowEvent < throwEvent | |
endEvent < throwEvent | |

eventDefinition < rootElement | |
messageEventDefinition < eventDefinition | messageRef:ref(message) | operationRef?:ref(operation)
timerEventDefinition < eventDefinition | | timeDate?:expression timeDuration?:expression timeCycle?:expression
signalEventDefinition < eventDefinition | signalRef:ref(signal) |
errorEventDefinition < eventDefinition | errorRef:ref(error) |
escalationEventDefinition < eventDefinition | escalationRef:ref(escalation) |
compensateEventDefinition < eventDefinition | waitForCompletion:bool activityRef:ref(activity) |
conditionalEventDefinition < eventDefinition | | condition!:expression
linkEventDefinition < eventDefinition | name!
  | source*:ref(linkEventDefinition) target?:ref(linkEventDefinition)
cancelEventDefinition < eventDefinition | |
terminateEventDefinition < eventDefinition | |

activity < flowNode | isForCompensation:bool startQuantity:int completionQuantity:int
  default:idref(sequenceFlow) | ioSpecification? property* dataInputAssociation* dataOutputAssociation*
  @resourceRole* @loopCharacteristics?
loopCharacteristics < baseElement | |
standardLoopCharacteristics < loopCharacteristics | testBefore:bool loopMaximum:int
  | loopCondition?:expression
multiInstanceLoopCharacteristics < loopCharacteristics | isSequential:bool
  behavior:multiInstanceFlowCondition oneBehaviorEventRef:ref(eventDefinition)
  noneBehaviorEventRef:ref(eventDefinition) | loopCardinality?:expression loopDataInputRef?:ref(item)
  loopDataOutputRef?:ref(item) inputDataItem?:dataInput outputDataItem?:dataOutput
  complexBehaviorDefinition* completionCondition?:expression
complexBehaviorDefinition < baseElement | | condition!:formalExpression event?:implicitThrowEvent
task < activity | |
serviceTask < task | implementation:technology operationRef:ref(operation) |
sendTask < task | implementation:technology messageRef:ref(message) operationRef:ref(operation) |
receiveTask < task | implementation:technology instantiate:bool messageRef:ref(message)
  operationRef:ref(operation) |
userTask < task | implementation:technology | rendering*
rendering < baseElement | |
manualTask < task | |
scriptTask < task | scriptFormat | script?
businessRuleTask < task | implementation:technology |
callActivity < activity | calledElement:ref(free) |
subProcess < activity | triggeredByEvent:bool | laneSet* @flowElement* @artifact*
transaction < subProcess | method:technology |
adHocSubProcess < subProcess | cancelRemainingInstances:bool ordering:adHocOrdering
  | completionCondition?:expression

callableElement < rootElement | name | supportedInterfaceRef*:ref(interface) ioSpecification? ioBinding*
process < callableElement | processType:processType isClosed:bool isExecutable:bool
  definitionalCollaborationRef:ref(collaboration) | auditing? monitoring? property* laneSet*
  @flowElement* @artifact* @resourceRole* correlationSubscription* supports*:ref(process)
laneSet < baseElement | name | lane*
lane < baseElement | name partitionElementRef:ref(any)
  | partitionElement?:baseElement flowNodeRef*:idref(flowNode) childLaneSet?:laneSet
globalTask < callableElement | | @resourceRole*
globalUserTask < globalTask | implementation:technology | rendering*
globalManualTask < globalTask | |
globalScriptTask < globalTask | scriptLanguage:uri | script?
globalBusinessRuleTask < globalTask | implementation:technology |

artifact < baseElement | |
association < artifact | sourceRef!:ref(any) targetRef!:ref(any) associationDirection:associationDirection |
group < artifact | categoryValueRef:ref(categoryValue) |
textAnnotation < artifact | textFormat:mime | text?

collaboration < rootElement | name isClosed:bool | participant* messageFlow* @artifact*
  @conversationNode* conversationAssociation* participantAssociation* messageFlowAssociation*
  correlationKey* choreographyRef*:ref(choreography) conversationLink*
participant < baseElement | name processRef:ref(process) | interfaceRef*:ref(interface)
  endPointRef*:ref(endPoint) participantMultiplicity?
participantMultiplicity < baseElement | minimum:int32 maximum:int32 |
participantAssociation < baseElement | | innerParticipantRef!:ref(participant)
  outerParticipantRef!:ref(participant)
messageFlow < baseElement | name sourceRef!:ref(interactionNode) targetRef!:ref(interactionNode)
  messageRef:ref(message) |
messageFlowAssociation < baseElement | innerMessageFlowRef!:ref(messageFlow)
  outerMessageFlowRef!:ref(messageFlow) |
conversationNode < baseElement | name | participantRef*:ref(participant) messageFlowRef*:ref(messageFlow)
  correlationKey*
conversation < conversationNode | |
subConversation < conversationNode | | @conversationNode*
callConversation < conversationNode | calledCollaborationRef:ref(collaboration) | participantAssociation*
conversationAssociation < baseElement | innerConversationNodeRef!:ref(conversationNode)
  outerConversationNodeRef!:ref(conversationNode) |
conversationLink < baseElement | name sourceRef!:ref(interactionNode) targetRef!:ref(interactionNode) |
globalConversation < collaboration | |
choreography < collaboration | | @flowElement*
globalChoreographyTask < choreography | initiatingParticipantRef:ref(participant) |
choreographyActivity < flowNode | initiatingParticipantRef!:ref(participant)
  loopType:choreographyLoopType | participantRef2:ref(participant) correlationKey*
choreographyTask < choreographyActivity | | messageFlowRef&:ref(messageFlow)
callChoreography < choreographyActivity | calledChoreographyRef:ref(choreography) | participantAssociation*
subChoreography < choreographyActivity | | @flowElement* @artifact*
"""

_UNIONS = {
    "item": (
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "property",
        "dataInput",
        "dataOutput",
    ),
    "interactionNode": ("participant", "task", "event", "conversationNode", "activity"),
}
# An item of a data association may be any ItemAwareElement; a message flow connects InteractionNodes
# (8.4.1: Task, Event, Participant, ConversationNode), to which 9.4 adds every activity.


@dataclass(frozen=True, slots=True)
class Attribute:
    """``kind`` is string, bool, int, int32, number, id, uri, mime, technology, ref or the name of an
    enumeration; ``local`` marks an IDREF, which has no prefix."""

    name: str
    kind: str = "string"
    required: bool = False
    targets: tuple[str, ...] = ()
    local: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """``type`` is the name of an element type, or ``ref`` for a text that refers to ``targets``."""

    names: tuple[str, ...]
    type: str = ""
    minimum: int = 0
    maximum: int | None = None
    targets: tuple[str, ...] = ()
    local: bool = False


@dataclass(frozen=True, slots=True)
class ElementType:
    name: str
    base: str
    attributes: dict[str, Attribute]
    children: tuple[Child, ...]
    """In the order that the schema demands; empty names stand for any content."""
    mixed: bool = False

    def child(self, tag: str) -> tuple[int, Child] | None:
        """The rule for a child named ``tag`` and its rank in the schema's order."""
        return next(((i, child) for i, child in enumerate(self.children) if tag in child.names), None)


_OCCURS: dict[str, tuple[int, int | None]] = {
    "?": (0, 1),
    "!": (1, 1),
    "&": (1, 2),
    "+": (1, None),
    "2": (2, None),
    "*": (0, None),
}


def _targets(kind: str) -> tuple[str, ...]:
    names = kind.partition("(")[2].removesuffix(")").split(" ")
    return tuple(name for given in names for name in _UNIONS.get(given, (given,)))


def _attribute(text: str) -> Attribute:
    name, _, kind = text.partition(":")
    if "(" in kind:
        local = kind.startswith("idref(")
        return Attribute(name.rstrip("!"), "ref", name.endswith("!"), _targets(kind), local)
    return Attribute(name.rstrip("!"), kind or "string", name.endswith("!"))


def _child(text: str) -> Child:
    text, _, kind = text.partition(":")
    name, (minimum, maximum) = text[:-1], _OCCURS[text[-1]]
    if name.startswith("@"):
        return Child(GROUPS[name[1:]], "", minimum, maximum)
    if "(" in kind:
        return Child((name,), "ref", minimum, maximum, _targets(kind), kind.startswith("idref("))
    return Child((name,), kind or name, minimum, maximum)


def read_table(text: str) -> dict[str, ElementType]:
    """The types that a table of this module's form describes, by name."""
    types: dict[str, ElementType] = {}
    for line in text.replace("\n  ", " ").strip().splitlines():
        if not line:
            continue
        head, attributes, children = (part.strip() for part in line.split("|"))
        name, _, base = (part.strip() for part in head.partition("<"))
        own = {a.name: a for a in map(_attribute, attributes.split())}
        rules = tuple(_child(c) for c in children.split() if c != "any*")
        parent = types.get(base)
        types[name] = ElementType(
            name,
            base,
            {**(parent.attributes if parent else {}), **own},
            (*(parent.children if parent else ()), *rules),
            mixed="any*" in children.split() or bool(parent and parent.mixed),
        )
    return types


ELEMENTS: dict[str, ElementType] = read_table(_TYPES)
"""Every type of the standard by its name, abstract ones included."""


@cache
def is_a(tag: str, ancestor: str) -> bool:
    """Is ``tag`` the element type ``ancestor`` or derived from it?"""
    while tag:
        if tag == ancestor:
            return True
        tag = ELEMENTS[tag].base if tag in ELEMENTS else ""
    return False
