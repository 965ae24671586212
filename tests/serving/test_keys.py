"""Keys end on their day, are known by the day of their last use, and are given no scope that belongs to people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving import store_log
from serving.access import KEY_ROLES, OF_PEOPLE_ONLY, narrow


def test_a_key_opens_nothing_after_its_last_moment(client: TestClient, key, store, clock, made) -> None:
    headers = key("hr_system")
    with store.begin() as tx:
        store_log.end_key_at(tx, 1, at=made.NOW + timedelta(days=7))
        store_log.end_key_at(tx, 1, at=made.NOW + timedelta(days=90))  # never later than it would have ended
    clock.pass_days(6)
    assert client.get("/v1/teams", headers=headers).status_code == 200
    clock.pass_days(1)
    assert client.get("/v1/teams", headers=headers).status_code == 401


def test_the_day_of_the_last_use_is_kept_and_no_finer(client: TestClient, key, store, clock, made) -> None:
    headers = key("hr_system")
    clock.pass_days(3)
    client.get("/v1/teams", headers=headers)
    with store.begin() as tx:
        assert store_log.keys(tx)[0]["used_on"] == made.NOW.date() + timedelta(days=3)


@pytest.mark.parametrize("role", KEY_ROLES)
def test_no_key_is_given_what_only_people_may_do(role: str) -> None:
    assert not narrow(role, [], [])[0] & OF_PEOPLE_ONLY
