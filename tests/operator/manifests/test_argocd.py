"""The health check for Argo CD, run as Argo CD does: by an interpreter of Lua 5.1.

https://argo-cd.readthedocs.io/en/stable/operator-manual/health/#custom-health-checks
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from health_situations import JUDGEMENTS, situations
from hourglass_operator.api import GROUP, KIND

FILE = Path(__file__).parents[3] / "deploy" / "argocd" / "argocd-cm.yaml"
ASKED = {situation: health for situation, (_, health) in JUDGEMENTS.items() if health}


def judged(performer: dict[str, Any]) -> dict[str, str]:
    (key, script), *others = yaml.safe_load(FILE.read_text())["data"].items()
    assert key == f"resource.customizations.health.{GROUP}_{KIND}"
    assert not others
    lua = LuaRuntime()
    lua.globals().obj = lua.table_from(performer, recursive=True)
    return dict(lua.execute(script))


def test_every_situation_comes_about() -> None:
    assert situations().keys() == JUDGEMENTS.keys()


@pytest.mark.parametrize("situation", ASKED)
def test_argo_cd_calls_a_performer(situation: str) -> None:
    assert judged(situations()[situation])["status"] == ASKED[situation]


@pytest.mark.parametrize("situation", ["Failed, Stalled", "Running, Degraded", "Running"])
def test_argo_cd_says_why(situation: str) -> None:
    performer = situations()[situation]
    messages = [each["message"] for each in performer["status"]["conditions"]]
    assert judged(performer)["message"] in messages
