"""Jobs and CronJobs.

https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/batch/validation/validation.go
https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/batch/job/strategy.go
"""

from collections.abc import Iterator

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver.rules import (
    job_policies,
    labels,
    names,
    object_meta,
    pod_spec,
    pod_warnings,
    schedules,
)
from hourglass_simulator.apiserver.rules.fault import (
    Faults,
    choice,
    immutable,
    invalid,
    non_negative,
    non_negatives,
    not_supported,
    required,
    too_long,
)
from hourglass_simulator.apiserver.rules.go_text import printed

_MOST_PARALLEL = 100_000
_MANY, _MOST_OF_MANY = 100_000, 10_000
_LONGEST_MANAGER = 63
_LONGEST_CRON = 52
_UID, _NAME = "controller-uid", "job-name"
_PREFIX = "batch.kubernetes.io/"
_RESTARTS = ("OnFailure", "Never")
_SCHEDULING = ("nodeSelector", "tolerations", "schedulingGates")
"""What a suspended job that has not been started yet may change in its pods."""


def job_created(job: JSON) -> Faults:
    """What is wrong with a new Job."""
    meta, template = job["metadata"], job["spec"].get("template") or {}
    if meta.get("labels") == (template.get("metadata") or {}).get("labels"):
        meta = {**meta, "labels": {}}
    yield from object_meta.created("jobs", meta)
    yield from _job(job, prefixed=True)


def _job(job: JSON, *, prefixed: bool) -> Faults:
    yield from _generated(job, prefixed=prefixed)
    spec = job["spec"]
    yield from _spec(spec)
    if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
        name = job["metadata"]["name"]
        last = f"{name}-{spec['completions'] - 1}"
        if names.dns_label(last):
            why = f"will not able to create pod with invalid DNS label: {last}"
            yield invalid("metadata.name", name, why)


def _generated(job: JSON, *, prefixed: bool) -> Faults:
    """A selector that is not the one that Kubernetes writes, unless it is to be an own one."""
    meta, spec = job["metadata"], job["spec"]
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return
    expected = {_UID: meta["uid"], _NAME: meta["name"]}
    if prefixed:
        expected |= {_PREFIX + key: value for key, value in tuple(expected.items())}
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    path = "spec.template.metadata.labels"
    for key, value in expected.items():
        if key not in found:
            yield required(path, f"must be '{value}'")
        elif found[key] != value:
            yield invalid(path, found, f"must be '{value}'")
    if labels.usable(selector) and not labels.matches(selector, expected):
        shown = printed("meta.LabelSelector", selector)
        yield invalid("spec.selector", shown, "`selector` not auto-generated")


def _spec(spec: JSON) -> Faults:
    yield from _common("spec", spec)
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from labels.selector("spec.selector", selector)
    found = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels.usable(selector) and not labels.matches(selector, found):
        why = "`selector` does not match template `labels`"
        yield invalid("spec.template.metadata.labels", found or None, why)


def _common(path: str, spec: JSON) -> Faults:
    fields = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit")
    more = ("ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes")
    yield from non_negatives(path, spec, *fields, *more)
    most, per_index = spec.get("maxFailedIndexes"), spec.get("backoffLimitPerIndex")
    if most is not None and per_index is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    manager = spec.get("managedBy")
    if manager is not None:
        yield from names.domain_prefixed_path(f"{path}.managedBy", manager)
        if len(manager) > _LONGEST_MANAGER:
            yield too_long(f"{path}.managedBy", _LONGEST_MANAGER)
    mode = spec.get("completionMode")
    if mode not in (None, "Indexed", "NonIndexed"):
        yield not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        yield from _indexed(path, spec)
    elif mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")
    yield from job_policies.failure(f"{path}.podFailurePolicy", spec)
    yield from job_policies.success(f"{path}.successPolicy", spec)
    yield from job_policies.replacement(f"{path}.podReplacementPolicy", spec)
    yield from pod_spec.template(f"{path}.template", spec.get("template"))
    yield from _restarts(f"{path}.template.spec.restartPolicy", spec)


def _indexed(path: str, spec: JSON) -> Faults:
    total, most = spec.get("completions"), spec.get("maxFailedIndexes")
    parallel, per_index = spec.get("parallelism"), spec.get("backoffLimitPerIndex")
    if total is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallel is not None and parallel > _MOST_PARALLEL:
        why = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", parallel, why)
    field = f"{path}.maxFailedIndexes"
    if total is not None and most is not None and most > total:
        yield invalid(field, most, "must be less than or equal to completions")
    if most is not None and most > _MANY:
        yield invalid(field, most, f"must be less than or equal to {_MANY}")
    if total is None or total <= _MANY or per_index is None:
        return
    if most is None:
        yield required(field, f"must be specified when completions is above {_MANY}")
    why = (
        f"must be less than or equal to {_MOST_OF_MANY} when completions are above {_MANY}"
        " and used with backoff limit per index"
    )
    for number, name in ((parallel, "parallelism"), (most, "maxFailedIndexes")):
        if number is not None and number > _MOST_OF_MANY:
            yield invalid(f"{path}.{name}", number, why)


def _restarts(field: str, spec: JSON) -> Faults:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or ""
    if policy in ("Always", ""):
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in _RESTARTS:
        yield not_supported(field, policy, _RESTARTS)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')


def job_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed Job: Kubernetes looks at it twice."""
    before = ((old["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
    yield from object_meta.created("jobs", new["metadata"])
    yield from _job(new, prefixed=all(_PREFIX + key in before for key in (_UID, _NAME)))
    yield from object_meta.updated(new["metadata"], old["metadata"], "jobs")
    spec, then = new["spec"], old["spec"]
    yield from _spec(spec)
    yield from _completions(spec, then)
    yield from _same("selector", "meta.LabelSelector", spec, then)
    yield from _same_template(new, old)
    yield from immutable(
        "spec.completionMode", spec.get("completionMode"), then.get("completionMode")
    )
    yield from _same("podFailurePolicy", "batch.PodFailurePolicy", spec, then)
    for field in ("backoffLimitPerIndex", "managedBy"):
        if spec.get(field) != then.get(field):
            yield invalid(f"spec.{field}", spec.get(field), "field is immutable")
    yield from _same("successPolicy", "batch.SuccessPolicy", spec, then)


def _same(field: str, go_type: str, spec: JSON, then: JSON) -> Faults:
    yield from immutable(
        f"spec.{field}", spec.get(field), then.get(field), lambda v: printed(f"*{go_type}", v)
    )


def _completions(spec: JSON, then: JSON) -> Faults:
    total, before = spec.get("completions"), then.get("completions")
    if total == before:
        return
    if spec.get("completionMode") != "Indexed":
        yield invalid("spec.completions", total, "field is immutable")
    elif total is not None and total != spec.get("parallelism"):
        why = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", total, why)


def _same_template(new: JSON, old: JSON) -> Faults:
    template = new["spec"].get("template") or {}
    before = old["spec"].get("template") or {}
    started = (old.get("status") or {}).get("startTime")
    if old["spec"].get("suspend") and not started:
        before = _rescheduled(before, template)
    if _plain(template) != _plain(before):
        yield invalid(
            "spec.template", printed("core.PodTemplateSpec", template), "field is immutable"
        )


def _plain(template: JSON) -> JSON:
    """Without fields that are empty."""
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if v}
    inner = {k: v for k, v in (template.get("spec") or {}).items() if v not in (None, {}, [])}
    return {"metadata": meta, "spec": inner}


def _rescheduled(before: JSON, template: JSON) -> JSON:
    """The stored template with what is changed of where its pods may run."""
    meta, now_meta = dict(before.get("metadata") or {}), template.get("metadata") or {}
    inner, now = dict(before.get("spec") or {}), template.get("spec") or {}
    for whole, changed, fields in (
        (meta, now_meta, ("annotations", "labels")),
        (inner, now, _SCHEDULING),
    ):
        for field in fields:
            whole[field] = changed.get(field)
    affinity = {k: v for k, v in (inner.get("affinity") or {}).items() if k != "nodeAffinity"}
    wanted = (now.get("affinity") or {}).get("nodeAffinity")
    inner["affinity"] = affinity if wanted is None else {**affinity, "nodeAffinity": wanted}
    if now.get("affinity") is not None and not inner["affinity"]:
        inner["affinity"] = now["affinity"]
    return {"metadata": meta, "spec": inner}


def cron_created(found: JSON) -> Faults:
    """What is wrong with a new CronJob."""
    yield from object_meta.created("cronjobs", found["metadata"])
    yield from _cron(found["spec"], None)
    name = found["metadata"]["name"]
    if len(name) > _LONGEST_CRON:
        yield invalid("metadata.name", name, f"must be no more than {_LONGEST_CRON} characters")


def _cron(spec: JSON, then: JSON | None) -> Faults:
    text, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not text:
        yield required("spec.schedule")
    else:
        inside = then is not None and "TZ" in (then.get("schedule") or "")
        yield from schedules.schedule("spec.schedule", text, zone, zones_inside=inside)
    yield from non_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    if then is None or then.get("timeZone") != zone:
        yield from schedules.time_zone("spec.timeZone", zone)
    policies = ("Allow", "Forbid", "Replace")
    yield from choice("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _common("spec.jobTemplate.spec", job)
    if job.get("selector") is not None:
        shown = printed("meta.LabelSelector", job["selector"])
        why = "`selector` will be auto-generated"
        yield invalid("spec.jobTemplate.spec.selector", shown, why)
    if job.get("manualSelector"):
        field = "spec.jobTemplate.spec.manualSelector"
        yield not_supported(field, job["manualSelector"], ("nil", "false"))
    yield from non_negatives("spec", spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def cron_updated(new: JSON, old: JSON) -> Faults:
    """What is wrong with a changed CronJob."""
    yield from object_meta.updated(new["metadata"], old["metadata"], "cronjobs")
    yield from _cron(new["spec"], old["spec"])


def cron_warnings(new: JSON, old: JSON | None) -> Iterator[str]:
    """What is said of a CronJob."""
    wrong = names.dns_label(new["metadata"]["name"]) if old is None else ()
    if wrong:
        yield (
            "metadata.name: this is used in Pod names and hostnames, which can result in"
            f" surprising behavior; a DNS label is recommended: [{' '.join(wrong)}]"
        )
    spec = new["spec"]
    if "TZ" in (spec.get("schedule") or ""):
        yield (
            "spec.schedule: cannot use TZ or CRON_TZ in schedule, use timeZone instead, see"
            " https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones"
        )
    if old is None or spec != old["spec"]:
        template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template")
        yield from pod_warnings.of_template("spec.jobTemplate.spec.template", template)
