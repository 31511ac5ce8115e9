"""Data stores: where their content can be had (10.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from flowkit.bpmn.lint.model import Model, Problem, Rule, error, kind
from flowkit.bpmn.model import (
    Activity,
    CompensateEventDefinition,
    DataAssociation,
    DataStoreReference,
    FlowNode,
    MultiInstanceLoopCharacteristics,
    ThrowEvent,
)

__all__ = ["RULES"]

_COPY = "Copy the store's content into a data object first, and name that."


def data_store_use(model: Model) -> Iterator[Problem]:
    for defined in model.definitions.data_stores:
        if defined.capacity is not None and defined.capacity < 0:
            yield Problem(defined, f"the capacity is {defined.capacity}.", "Use 0 or more, or remove it.")
    stores = {store.id: store for scope in model.executed for store in scope.container.data_store_references}
    if not stores:
        return
    for _, node in model.run(FlowNode):
        inputs: tuple[DataAssociation, ...] = getattr(node, "input_associations", ())
        fed = {one.target for one in inputs if not stores.keys().isdisjoint(one.sources)}
        if isinstance(node, Activity) and isinstance(node.loop, MultiInstanceLoopCharacteristics):
            yield from _collections(node, node.loop, stores, fed)
        compensates = isinstance(node, ThrowEvent) and any(
            isinstance(definition, CompensateEventDefinition) for definition in node.definitions
        )
        if compensates and fed:
            yield Problem(
                node,
                f"the {kind(node)} compensates and reads a data store, whose content may change meanwhile.",
                _COPY,
            )
    yield from _limits(model, stores)


def _collections(
    node: Activity,
    loop: MultiInstanceLoopCharacteristics,
    stores: dict[str, DataStoreReference],
    fed: set[str],
) -> Iterator[Problem]:
    given = (("loopDataInputRef", loop.loop_data_input), ("loopDataOutputRef", loop.loop_data_output))
    for name, reference in given:
        kept = any(one.target in stores for one in node.output_associations if reference in one.sources)
        if reference in stores or (reference and (reference in fed or kept)):
            yield Problem(
                node, f"{name} is the content of a data store, which each instance may change.", _COPY
            )


def _limits(model: Model, stores: dict[str, DataStoreReference]) -> Iterator[Problem]:
    written = {
        association.target
        for _, node in model.run(FlowNode)
        for association in getattr(node, "output_associations", ())
        if association.sources or association.assignments or association.transformation
    }
    used = {stores[reference].data_store for reference in written if reference in stores}
    for store in model.definitions.data_stores:
        if store.id in used and not store.is_unlimited and store.capacity is None:
            yield Problem(
                store,
                "the data store is limited, but its capacity is not given.",
                "Set capacity, or isUnlimited.",
            )


RULES: tuple[Rule, ...] = (
    error("data-store-use", "A data store is used where its content can be had.", data_store_use),
)
