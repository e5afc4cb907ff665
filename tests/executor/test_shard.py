"""Shares of data IDs for job arrays."""

import pytest

from obs.errors import ConfigError
from obs.executor.shard import Shard

DATA_IDS = [{"visit": visit, "filter": "r", "ccd": ccd} for visit in range(40) for ccd in range(10)]


def test_shares_are_disjoint_and_complete():
    shares = [Shard(number, 7).take(DATA_IDS) for number in range(1, 8)]
    assert sorted((known for share in shares for known in share), key=str) == sorted(DATA_IDS, key=str)
    # 400 data IDs fall into 7 shares by chance: 57 in each, give or take 7
    assert all(57 - 5 * 7 < len(share) < 57 + 5 * 7 for share in shares)


def test_a_share_does_not_depend_on_the_others():
    share = Shard(3, 7).take(DATA_IDS)
    assert Shard(3, 7).take(DATA_IDS[::-1]) == share[::-1]
    assert Shard(3, 7).take(DATA_IDS[:200]) == [known for known in share if known in DATA_IDS[:200]]
    turned = [dict(reversed(known.items())) for known in DATA_IDS]
    assert Shard(3, 7).take(turned) == share


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/3/5", "1" * 12 + "/3", ""])
def test_shares_that_are_none(text):
    with pytest.raises(ConfigError, match="--shard: expected NUMBER/COUNT"):
        Shard.parse(text)
    assert Shard.parse(" 3/3 ") == Shard(3, 3)
