"""Webhooks by their configurations: who is called about a write, and what is made of the answer.

https://github.com/kubernetes/kubernetes/tree/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, Protocol

import jsonpatch

from hourglass_kube.types import JSON
from hourglass_simulator.apiserver import errors, matching, metadata
from hourglass_simulator.apiserver.authorization import Authorizer
from hourglass_simulator.apiserver.cel_admission import Activation, EvaluationError, request
from hourglass_simulator.apiserver.policies import conditions_met
from hourglass_simulator.apiserver.schema_error import quoted
from hourglass_simulator.apiserver.store import Store
from hourglass_simulator.apiserver.write import Write
from hourglass_simulator.kubernetes.version import Version

MUTATING: Final = "mutatingwebhookconfigurations"
VALIDATING: Final = "validatingwebhookconfigurations"
_VERSIONS = ("v1", "v1beta1")
_USUAL_SECONDS = 10
_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class CallError(Exception):
    """A webhook that gave no answer; the text is that of Go's HTTP client."""


class Caller(Protocol):
    """Sends a review to where a webhook is."""

    def __call__(self, client: JSON, service: JSON | None, seconds: int, review: JSON) -> Any:
        """The answer, parsed; `client` is the webhook's clientConfig, `service` the one it names.

        Raises CallError.
        """


Decode = Callable[[JSON], JSON]
"""What a webhook has made of an object, with its defaults; raises errors.APIError."""


class AdmissionWebhooks:
    """Calls the webhooks of the store's configurations; without a caller there are none."""

    def __init__(self, store: Store, random: Random, version: Version) -> None:
        self.caller: Caller | None = None
        self._store = store
        self._random = random
        self._scheme = version.texts.scheme

    @property
    def any(self) -> bool:
        """Whether a write may lead to calls."""
        if self.caller is None:
            return False
        tables = (self._store.table(plural) for plural in (MUTATING, VALIDATING))
        return any(table and table.count("") for table in tables)

    def mutated(self, write: Write, authorizer: Authorizer, again: Decode) -> JSON:
        """The object as the webhooks want it; `again` is what other plugins make of a change.

        https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
        """
        if not self.any:
            return write.obj
        called: list[JSON] = []
        due: list[JSON] = []
        for hook in list(self._relevant(MUTATING, write)):
            if not self._concerned(hook, write, authorizer):
                continue
            new = self._patched(hook, write)
            if new is not write.new:
                write = write.with_new(again(new))
                due, called = [*due, *(each for each in called if each not in due)], []
            if hook.get("reinvocationPolicy") == "IfNeeded":
                called.append(hook)
        for hook in due:
            if self._concerned(hook, write, authorizer):
                new = self._patched(hook, write)
                write = write if new is write.new else write.with_new(again(new))
        return write.obj

    def validate(self, write: Write, authorizer: Authorizer) -> None:
        """Refuse what a webhook denies."""
        if not self.any:
            return
        for hook in list(self._relevant(VALIDATING, write)):
            if self._concerned(hook, write, authorizer):
                self._called(hook, write, mutating=False)

    def _relevant(self, plural: str, write: Write) -> Iterator[JSON]:
        table = self._store.table(plural)
        if table is None or matching.is_exempt(write):
            return
        for configuration in list(table.all()):
            for hook in configuration.get("webhooks") or ():
                if matching.concerns(hook.get("rules") or (), write):
                    yield hook

    def _concerned(self, hook: JSON, write: Write, authorizer: Authorizer) -> bool:
        if not matching.selects(hook, write, self._store):
            return False
        conditions = hook.get("matchConditions") or ()
        if not conditions:
            return True
        try:
            return conditions_met(conditions, Activation(write, authorizer=authorizer))
        except EvaluationError as error:
            if _ignores(hook):
                return False
            raise write.refused(str(error)) from None

    def _patched(self, hook: JSON, write: Write) -> JSON:
        response = self._called(hook, write, mutating=True)
        patch = (response or {}).get("patch")
        if not patch or write.new is None:
            return write.obj
        what = f'failed calling webhook "{hook["name"]}": received undecodable patch in webhook'
        try:
            operations = json.loads(base64.b64decode(patch, validate=True))
        except (ValueError, binascii.Error) as error:
            raise _internal(f"{what} response: {error}") from None
        if not isinstance(operations, list):
            why = "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
            raise _internal(f"{what} response: {why}")
        if not operations:
            return write.obj
        try:
            patched: JSON = jsonpatch.apply_patch(write.new, operations)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
            raise _internal(_as_in_go(operations, str(error))) from None
        return write.new if patched == write.new else patched

    def _called(self, hook: JSON, write: Write, *, mutating: bool) -> JSON | None:
        """The response of a webhook that allows a write; None when its failure is ignored."""
        assert self.caller is not None
        name = hook["name"]
        if write.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
            raise errors.bad_request(f'admission webhook "{name}" does not support dry run')
        uid = metadata.uid(self._random)
        version = next(
            (each for each in hook["admissionReviewVersions"] if each in _VERSIONS), _VERSIONS[0]
        )
        review = {
            "kind": "AdmissionReview",
            "apiVersion": f"admission.k8s.io/{version}",
            "request": {"uid": uid, **_request(write)},
        }
        client = hook["clientConfig"]
        seconds = hook.get("timeoutSeconds") or _USUAL_SECONDS
        try:
            answer = self.caller(client, self._service(client), seconds, review)
            response = _response(answer, uid, version, self._scheme, mutating=mutating)
        except CallError as error:
            if _ignores(hook):
                return None
            raise _internal(f'failed calling webhook "{name}": {error}') from None
        write.warnings.extend(str(each) for each in response.get("warnings") or ())
        if response.get("allowed") is not True:
            raise denied(name, response.get("status"))
        return response

    def _service(self, client: JSON) -> JSON | None:
        reference, table = client.get("service"), self._store.table("services")
        if not reference or table is None:
            return None
        return table.find(reference["namespace"], reference["name"])


def denied(webhook: str, status: JSON | None) -> errors.APIError:
    """What a webhook says about a write that it does not allow, as clients see it."""
    status = status or {}
    code, reason = status.get("code") or 0, status.get("reason") or ""
    by = f"admission webhook {quoted(webhook)} denied the request"
    why = status.get("message") or reason
    text = f"{by}: {why}" if why else f"{by} without explanation"
    return errors.APIError(max(code, 400), reason, text, status.get("details"))


def _request(write: Write) -> JSON:
    options = {
        "kind": _OPTIONS[write.operation],
        "apiVersion": "meta.k8s.io/v1",
        **write.options,
    }
    found = request(write)
    operation = found.pop("operation")
    user, dry = found.pop("userInfo"), found.pop("dryRun")
    return {
        **found,
        "operation": operation,
        "userInfo": user,
        "object": write.new,
        "oldObject": write.old,
        "dryRun": dry,
        "options": options,
    }


def _response(answer: Any, uid: str, version: str, scheme: str, *, mutating: bool) -> JSON:
    """https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go"""
    begins = "received invalid webhook response:"
    if not isinstance(answer, dict):
        raise CallError(
            "failed to call webhook: couldn't get version/kind; json parse error: json: cannot"
            " unmarshal string into Go value of type struct { APIVersion string"
            ' "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    kind, api_version = answer.get("kind"), answer.get("apiVersion")
    if kind != "AdmissionReview":
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme'
        raise CallError(f'failed to call webhook: {why} "{scheme}"')
    response = answer.get("response")
    if not isinstance(response, dict):
        raise CallError(f"{begins} webhook response was absent")
    patch, patch_type = response.get("patch"), response.get("patchType")
    if version == "v1beta1":
        return response
    if response.get("uid") != uid:
        got = response.get("uid") or ""
        raise CallError(f'{begins} expected response.uid="{uid}", got "{got}"')
    if api_version != "admission.k8s.io/v1":
        expected = "admission.k8s.io/v1, Kind=AdmissionReview"
        why = f"expected webhook response of {expected}, got {api_version}, Kind={kind}"
        raise CallError(f"{begins} {why}")
    if not mutating and patch:
        raise CallError(f"{begins} validating webhook may not return response.patch")
    if not mutating and patch_type:
        raise CallError(f"{begins} validating webhook may not return response.patchType")
    if patch and not patch_type:
        why = "webhook returned response.patch but not response.patchType"
        raise CallError(f"{begins} {why}")
    if patch_type and not patch:
        why = "webhook returned response.patchType but not response.patch"
        raise CallError(f"{begins} {why}")
    return response


def _ignores(hook: JSON) -> bool:
    return bool(hook.get("failurePolicy") == "Ignore")


def _internal(text: str) -> errors.APIError:
    """500 of what went wrong in between."""
    details = {"causes": [{"message": text}]}
    return errors.APIError(500, "InternalError", f"Internal error occurred: {text}", details)


def _as_in_go(operations: list[Any], why: str) -> str:
    """A patch that does not apply, in the words of the library that the real server uses."""
    first = operations[0] if isinstance(operations[0], dict) else {}
    name, path = first.get("op", ""), first.get("path", "")
    if name in ("remove", "replace", "add", "test"):
        return f'{name} operation does not apply: doc is missing path: "{path}": missing value'
    return why
