"""Files that commands name: looked for where they lie in the project, and missed by nobody."""

from reconciler.collect.manifest_files import LIMIT
from reconciler.model.install_set import install_sets
from reconciler.model.manifest import Section
from reconciler.pipeline import look_at_files


def looked_at(project, files, *asked):
    for path, text in files.items():
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return look_at_files(str(project), asked)


def named(snapshot):
    return [d.name for m in snapshot.manifests for d in m.declared if d.kind == "include"]


DOCKERFILE = "FROM scratch\nCOPY . .\nRUN pip install -r requirements.txt\n"


def test_a_file_lies_beside_the_one_that_names_it_or_at_the_root(tmp_path):
    files = {"docker/Dockerfile": DOCKERFILE, "requirements.txt": "torch\n"}
    snapshot = looked_at(tmp_path, files, "docker/Dockerfile")
    assert [m.path for m in snapshot.manifests] == ["docker/Dockerfile", "requirements.txt"]
    files = {"docker/requirements.txt": "numpy\n"}
    assert named(looked_at(tmp_path, files, "docker/Dockerfile")) == ["docker/requirements.txt"]


def test_a_file_that_is_not_in_the_project_is_no_gap(tmp_path):
    dockerfile = DOCKERFILE + "RUN pip install -r ../a.txt -r /b.txt -c https://host/c.txt\n"
    snapshot = looked_at(tmp_path, {"Dockerfile": dockerfile}, "Dockerfile")
    assert named(snapshot) == []
    assert snapshot.gaps == ()


def test_a_list_of_conda_s_specs_is_not_read_as_pip_s(tmp_path):
    files = {
        "Dockerfile": "FROM x\nRUN conda install --file requirements.txt --file a.txt --file e.yml\n",
        "requirements.txt": "pytorch=2.1\n",
        "a.txt": "@EXPLICIT\n",
        "e.yml": "dependencies: [python]\n",
    }
    snapshot = looked_at(tmp_path, files, "Dockerfile")
    assert [m.path for m in snapshot.manifests] == ["Dockerfile", "a.txt", "e.yml"]


def test_a_lock_may_be_longer_than_other_files(tmp_path):
    long = "# why\n" * (LIMIT // 6 + 1)
    files = {"pixi.lock": f"environments: {{}}\n{long}", "requirements.txt": long}
    snapshot = looked_at(tmp_path, files, "pixi.lock", "requirements.txt")
    assert [m.path for m in snapshot.manifests] == ["pixi.lock"]
    assert [gap.item for gap in snapshot.gaps] == ["requirements.txt"]


def test_the_index_of_a_command_serves_the_file_that_it_is_given(tmp_path):
    index = "https://download.pytorch.org/whl/cu118"
    files = {
        "Dockerfile": f"FROM x\nRUN pip install -r requirements.txt -i {index}\nRUN pip install x\n",
        "requirements.txt": "-f https://links\ntorch==2.1.0\n",
    }
    snapshot = looked_at(tmp_path, files, "Dockerfile", "requirements.txt")
    in_image, alone = install_sets(snapshot.manifests, "linux-64")
    torch, other = in_image.requirements(Section.PIP)
    assert [i.name for i in in_image.indexes(torch)] == ["https://links", index]
    assert in_image.indexes(other) == ()
    assert alone.name == "requirements.txt"
    assert [i.name for i in alone.indexes()] == ["https://links"]
