"""What a reference stands for as its tag is moved and its registry fails."""

from hourglass_simulator.kubelet import ImageRegistry, Workload

OLD, NEW, FAULTY = Workload(exit_code=1), Workload(exit_code=2), Workload(exit_code=3)


def moved() -> ImageRegistry:
    images = ImageRegistry()
    images.behave("web:v1", OLD)
    images.rebuild("web:v1", NEW)
    return images


def test_a_tag_that_is_moved_means_the_new_build_with_another_id() -> None:
    images = moved()
    assert (images.image("web:v1").workload, images.image("web:v1").build) == (NEW, 1)
    assert images.image("web:v1").identifier != images.image("web:v1", 0).identifier


def test_the_build_before_goes_on_to_behave_as_it_did() -> None:
    assert moved().image("web:v1", 0).workload == OLD


def test_nothing_may_be_declared_of_the_first_build() -> None:
    images = ImageRegistry()
    images.rebuild("web:v1", NEW)
    assert (images.image("web:v1", 0).workload, images.image("web:v1").workload) == (None, NEW)


def test_a_fault_of_an_image_concerns_all_its_builds() -> None:
    images = moved()
    undo = images.override("web:*", workload=FAULTY)
    assert [images.image("web:v1", build).workload for build in (0, 1, None)] == [FAULTY] * 3
    undo()
    assert images.image("web:v1").workload == NEW
