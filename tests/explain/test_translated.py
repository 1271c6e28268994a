"""What glibc says in the languages of users: its own lines, and what does not pass for one.

The lines are those of glibc 2.36 with Debian's translations (libc-l10n 2.36-9+deb12u14), said by its
own loader to a Python that had called ``locale.setlocale(locale.LC_ALL, "")``. Those of symbols and of
versions it says in English in every language.
"""

from __future__ import annotations

import pytest

from reconciler import catalog, explaining
from reconciler.explain import recognize
from reconciler.testing import sketch

ERRORS = catalog.load().errors
NOT_FOUND = {
    "de_DE": "Kann die Shared-Object-Datei nicht öffnen: Datei oder Verzeichnis nicht gefunden",
    "es_ES": "no se puede abrir el fichero del objeto compartido: No existe el fichero o el directorio",
    "fr_FR": "Ne peut ouvrir le fichier d'objet partagé: Aucun fichier ou dossier de ce type",
    "it_IT": "impossibile aprire il file oggetto condiviso: File o directory non esistente",
    "ja_JP": "共有オブジェクトファイルを開けません: そのようなファイルやディレクトリはありません",
    "ko_KR": "동적 오브젝트 파일을 열 수 없습니다: 그런 파일이나 디렉터리가 없습니다",
    "pl_PL": "nie można otworzyć pliku obiektu dzielonego: Nie ma takiego pliku ani katalogu",
    "pt_BR": "não é possível abrir arquivo compartilhado: Arquivo ou diretório inexistente",
    "ru_RU": "невозможно открыть разделяемый объектный файл: Нет такого файла или каталога",
    "zh_CN": "无法打开共享对象文件: 没有那个文件或目录",
    "zh_TW": "無法開啟共用物件: 沒有此一檔案或目錄",
}
DAMAGED = ("Ungültiger ELF-Header", "en-tête ELF invalide", "無効な ELF ヘッダーです", "文件过短")


@pytest.mark.parametrize("language", NOT_FOUND)
@pytest.mark.parametrize("start", ["ImportError: ", "[rank1]: OSError: "])
def test_a_library_is_known_by_its_name_in_every_language(language: str, start: str) -> None:
    (found,) = recognize(f"{start}libcudart.so.12: {NOT_FOUND[language]}\n", ERRORS)

    assert found.error.id == "loader-message-translated"
    assert found.captured["soname"] == "libcudart.so.12"


def test_the_library_that_is_missing_is_told_and_not_the_one_that_needs_it() -> None:
    # HIT-SCIR/ltp#170
    text = (
        f"UnsatisfiedLinkError: /x/libsegmentor_jni.so: libsegmentor.so.0.2.0: {NOT_FOUND['zh_CN']}"
    )

    (found,) = recognize(text, ERRORS)

    assert found.captured["soname"] == "libsegmentor.so.0.2.0"


@pytest.mark.parametrize("words", DAMAGED)
def test_a_damaged_file_is_known_by_its_path(words: str) -> None:
    text = f"ImportError: /env/lib/libcurand.so.10: {words}"

    (found,) = recognize(text, ERRORS)

    assert (found.error.id, found.captured["folder"]) == ("loader-message-translated", "/env/lib/")


def test_what_the_loader_says_in_english_is_of_its_own_class() -> None:
    said = "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory"

    assert [one.error.id for one in recognize(said, ERRORS)] == ["library-not-found"]


@pytest.mark.parametrize(
    "line",
    [
        "OSError: libfoo.so: not a library of ours",
        "OSError: /tmp/libfoo.so: Permission denied",
        "WARNING: libfoo.so.1: 无法打开",
        "RuntimeError: libcudart.so.12",
        "OSError: libfoo.txt: Datei oder Verzeichnis nicht gefunden",
    ],
)
def test_other_lines_with_a_library_are_no_translation(line: str) -> None:
    assert recognize(line, ERRORS) == ()


SITE = "lib/python3.11/site-packages"
NEEDED = f"""
python: 3.11.7
env: {{}}
pip: [mine==1.0]
loader:
  {SITE}/mine/_C.so: {{of: mine, needed: [libcudart.so.12]}}
"""


def test_that_it_is_missing_is_proven_by_the_environment_and_not_by_the_words() -> None:
    known = explaining.recognize([f"ImportError: libcudart.so.12: {NOT_FOUND['ja_JP']}"])

    (here,) = explaining.diagnose(known, sketch(NEEDED))
    (elsewhere,) = explaining.diagnose(known, sketch(NEEDED.replace("cudart", "curand")))

    assert (here.certainty, elsewhere.certainty) == ("proven", "likely")
    assert here.cause.startswith("libcudart.so.12 is not found")
