"""Work: from the queue through somebody's hands back to the kernel."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from flowkit.simulation import machine as k
from flowkit.simulation.pools import (
    DONE,
    RUNNING,
    SUSPENDED,
    WAITING,
    Allocation,
    Group,
    Pool,
    Work,
    allocate,
)

if TYPE_CHECKING:
    from flowkit.simulation.cases import Case
    from flowkit.simulation.machine import Effect
    from flowkit.simulation.run import Run
    from flowkit.simulation.stations import Station

__all__ = ["begin", "close_work", "dispatch", "finish", "open_work", "resume", "suspend", "withdraw"]

MAX_VISITS = 500
"""Visits of one case to one task, after which the case counts as stuck: it goes round in circles."""


def open_work(run: Run, case: Case, effect: Effect) -> None:
    """The kernel opened a job, user task or decision: ``(_, key, station, op, due)``."""
    key = effect[1]
    station = run.stations[effect[2]]
    purpose = station.purpose
    visits = case.visits
    visit = visits.get(purpose, 0)
    visits[purpose] = visit + 1
    if visit > MAX_VISITS:
        run.incident(case, station.plan.node, f"more than {MAX_VISITS:,} visits to '{station.plan.name}'")
        return
    work = Work(case, key << 4 | effect[3], station, run.now, visit)
    if effect[4] is not None:
        work.due = run.now + effect[4]
    case.pending[key] = work
    run.active += 1
    if station.batch is not None:
        _gather(run, station, work)
    else:
        _offer(run, station, work)


def _offer(run: Run, station: Station, work: Work) -> None:
    """Start the work now, or put it in line."""
    only = station.only
    if only is not None:
        if only.idle > 0 and only.on and not only.pool.queue:
            begin(run, work, station.staff)
            return
    elif not station.pools:
        begin(run, work, ())
        return
    else:
        found = allocate(station.alternatives)
        if found is not None:
            begin(run, work, found)
            return
    for pool in station.pools:
        pool.enqueue(work, run.now)
    if station.patience is not None:
        patience = station.patience.draw_again(work.case.index, work.visit)
        run.at(run.now + patience, _lose_patience, work)


def _gather(run: Run, station: Station, work: Work) -> None:
    batch = station.batch
    assert batch is not None
    station.gathering.append(work)
    if len(station.gathering) >= batch.size:
        _close_batch(run, (station, station.batch_number))
    elif len(station.gathering) == 1 and batch.max_wait is not None:
        run.at(run.now + batch.max_wait, _close_batch, (station, station.batch_number))


def _close_batch(run: Run, due: tuple[Station, int]) -> None:
    station, number = due
    if number != station.batch_number or not station.gathering:
        return
    station.batch_number += 1
    members, station.gathering = station.gathering, []
    first = members[0]
    block = Work(first.case, first.key, station, run.now, first.visit)
    block.members = members
    for member in members:
        member.case.root.gathered += run.now - member.opened
        member.members = [block]
    _offer(run, station, block)


def begin(run: Run, work: Work, allocation: Allocation) -> None:
    """Somebody starts the work."""
    now = run.now
    work.allocation = allocation
    for group, count in allocation:
        group.idle -= count
        group.busy.change(count, now)
        if group.interruptible:
            group.active[work] = None
    _start(run, work)


def _start(run: Run, work: Work) -> None:
    """The work begins in the hands of those it is allocated to; plan its end."""
    station = work.station
    work.state = RUNNING
    work.started = now = run.now
    stream = station.time
    if station.by_resource and work.allocation:
        group = work.allocation[0][0]
        stream = (
            station.by_resource.get(group.plan.name) or station.by_resource.get(group.pool.name) or stream
        )
    if work.members is not None and station.batch is not None and station.batch.mode == "sequential":
        duration = sum(stream.draw_again(member.case.index, member.visit) for member in work.members)
    elif work.visit:
        duration = stream.draw_again(work.case.index, work.visit)
    else:
        duration = stream.draw(work.case.index)
    work.duration = duration
    work.ends = ends = now + duration
    run.counter = counter = run.counter + 1
    heappush(run.heap, (ends, counter, finish, work))


def finish(run: Run, work: Work) -> None:
    """The work is done: free the resources, note what it took, tell the kernel."""
    if work.state != RUNNING or work.ends != run.now:
        return
    work.state = DONE
    _release(run, work, work.duration)
    members = work.members
    if members is None:
        _complete(run, work, work, 1)
        return
    for member in tuple(members):
        if member.state == WAITING:
            _complete(run, member, work, len(members))


def _release(run: Run, work: Work, spent: float) -> None:
    """Give the resources back and let them take the next work."""
    now = run.now
    allocation = work.allocation
    group = work.station.only
    if group is not None and not group.idle and group.on and work.members is None:
        queue = group.pool.queue
        if queue and queue[0][2].station.only is group and queue[0][2].state == WAITING:
            _hand_over(run, work, spent, group)
            return
    for group, count in allocation:
        group.idle += count
        group.busy.change(-count, now)
        group.work_seconds += count * spent
        if group.interruptible:
            del group.active[work]
    for group, _ in allocation:
        pool = group.pool
        if pool.queue:
            dispatch(run, pool)


def _hand_over(run: Run, work: Work, spent: float, group: Group) -> None:
    """What mostly happens, in one go: who is done takes the next in line, and stays as busy as before."""
    pool = group.pool
    following: Work = heappop(pool.queue)[2]
    pool.queued.change(-1.0, run.now)
    if pool.shifts:
        following.case.root.suspended += pool.off_duty(run.now) - following.off_before
    group.work_seconds += spent
    if group.interruptible:
        del group.active[work]
        group.active[following] = None
    following.allocation = following.station.staff
    _start(run, following)


def dispatch(run: Run, pool: Pool) -> None:
    """Let the idle resources of the pool take work, first in line first.

    Work that needs somebody else too and can't get him yet is passed over; it keeps its place.
    """
    passed: list[Any] = []
    queue = pool.queue
    while queue and pool.free:
        entry = heappop(queue)
        work = entry[2]
        if work.state != WAITING:
            continue
        station = work.station
        only = station.only
        found: Allocation | None = station.staff if only is not None else allocate(station.alternatives)
        if found is None:
            passed.append(entry)
            continue
        for line in station.pools:
            line.queued.change(-1.0, run.now)
        if pool.shifts:
            work.case.root.suspended += pool.off_duty(run.now) - work.off_before
        begin(run, work, found)
    for entry in passed:
        heappush(queue, entry)


def _complete(run: Run, work: Work, block: Work, share: int) -> None:
    """Count the work and tell the kernel; ``block`` is the batch that it was done in, or itself."""
    case = work.case
    station = work.station
    now = run.now
    work.state = DONE
    started = block.started
    waited = started - work.opened
    duration = block.duration
    cost = station.cost
    for group, count in block.allocation:
        if group.rate:
            cost += group.rate * count * duration / share
    root = case.root
    root.waiting += waited
    root.processing += duration
    if cost:
        root.cost += cost
    rest = now - started - duration
    if rest > 1e-9:
        root.suspended += rest
    if case.counted:
        station.waited.add(waited)
        station.worked.add(duration)
        station.spent.add(now - work.opened)
        station.done += 1
        station.spent_money += cost
        if work.visit and not station.plan.repeats:
            station.rework += 1
            root.reworked = True
    if run.paths is not None:
        _extend_path(run, root, station.index)
    if run.logbook is not None:
        run.logbook.note(root, work, block, now)
    key = work.key >> 4
    del case.pending[key]
    run.active -= 1
    if station.plain:
        run.complete(case, work.key)
    else:
        _answer(run, case, work, key, work.key & 15)


def _extend_path(run: Run, root: Case, station: int) -> None:
    paths = run.paths
    assert paths is not None
    step = (root.path, station)
    known = paths.get(step)
    if known is None:
        known = paths[step] = len(paths) + 1 if len(paths) < run.MAX_PATHS else -1
    root.path = known if root.path >= 0 else -1


def _answer(run: Run, case: Case, work: Work, key: int, op: int) -> None:
    station = work.station
    given: dict[str, Any] = {}
    if station.error_stream is not None:
        left = station.error_stream.draw_again(case.index, work.visit)
        for code, share in station.errors:
            left -= share
            if left < 0:
                run.act(case, k.ERROR, key, {"code": code})
                return
    if station.variables:
        given = station.variables.draw(case.index, work.visit)
    if op == k.DECISION:
        if station.result is None:
            output = run.decide(case, key)
        else:
            output = station.result.draw(case.index, work.visit)["result"]
        given = {"output": output}
    run.act(case, op, key, given)


# ---- interruptions --------------------------------------------------------------------------


def suspend(run: Run, work: Work) -> None:
    """Let the work rest: its resource went off duty or broke down."""
    work.blocks += 1
    if work.state != RUNNING:
        return
    work.state = SUSPENDED
    work.remaining = work.ends - run.now
    for group, count in work.allocation:
        group.busy.change(-count, run.now)


def resume(run: Run, work: Work) -> None:
    """Go on with work that rested, when nothing else holds it up."""
    work.blocks -= 1
    if work.blocks or work.state != SUSPENDED:
        return
    work.state = RUNNING
    for group, count in work.allocation:
        group.busy.change(count, run.now)
    work.ends = run.now + work.remaining
    run.at(work.ends, finish, work)


def close_work(run: Run, case: Case, effect: Effect) -> None:
    """The kernel withdrew a job or user task: ``(_, key)``."""
    work = case.pending.pop(effect[1], None)
    if work is not None:
        run.active -= 1
        withdraw(run, work)


def withdraw(run: Run, work: Work) -> None:
    """Take work out of the queue or out of somebody's hands."""
    state, work.state = work.state, DONE
    now = run.now
    if work.members is not None:
        _leave_batch(run, work)
        return
    station = work.station
    if state == WAITING:
        if station.batch is not None and work in station.gathering:
            station.gathering.remove(work)
            return
        for pool in station.pools:
            pool.queued.change(-1.0, now)
        return
    if state == RUNNING:
        work.remaining = work.ends - now
    elif state == SUSPENDED:
        for group, count in work.allocation:
            group.busy.change(count, now)
    else:
        return
    spent = work.duration - work.remaining
    root = work.case.root
    root.processing += spent
    root.cost += sum(group.rate * count for group, count in work.allocation) * spent
    _release(run, work, spent)


def _leave_batch(run: Run, work: Work) -> None:
    """A member of a batch that is formed: the batch goes on without it, unless it was the last."""
    members = work.members
    assert members is not None
    block = members[0]
    if block.members and all(member.state == DONE for member in block.members):
        work.members = None
        block.members = None
        withdraw(run, block)


def _lose_patience(run: Run, work: Work) -> None:
    if work.state != WAITING:
        return
    station = work.station
    case = work.case
    station.abandoned += case.counted
    key = work.key // 16
    plan = station.plan.abandonment
    if plan is not None and plan.error:
        run.act(case, k.ERROR, key, {"code": plan.error})
    else:
        run.abandon(case)
