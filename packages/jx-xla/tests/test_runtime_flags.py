"""Options of jx are part of the dispatcher's key, thread by thread."""

import threading

from jx_core.config import default_matmul_precision, enable_x64
from jx_xla.runtime import flags


def test_a_mirror_follows_its_option():
    assert flags.enable_x64.value is False
    with enable_x64(True):
        assert flags.enable_x64.value is True
        with enable_x64(False):
            assert flags.enable_x64.value is False
        assert flags.enable_x64.value is True
    assert flags.enable_x64.value is False


def test_an_override_is_its_threads_own():
    seen = []
    with enable_x64(True):
        other = threading.Thread(target=lambda: seen.append(flags.enable_x64.value))
        other.start()
        other.join()
    assert seen == [False]


def test_a_global_change_reaches_every_thread():
    seen = []
    default_matmul_precision.set("high")
    try:
        mirror = flags.mirror(default_matmul_precision)
        other = threading.Thread(target=lambda: seen.append(mirror.value))
        other.start()
        other.join()
    finally:
        default_matmul_precision.set(None)
    assert seen == ["high"]
    assert mirror.value is None


def test_there_is_one_config_for_a_name():
    assert flags.key_config("a_name", 1) is flags.key_config("a_name", 1)
    assert flags.mirror(enable_x64) is flags.enable_x64
