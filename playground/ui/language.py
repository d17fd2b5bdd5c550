"""The window's language: the app's texts, Qt's own (of file dialogs and menus of fields), and the way it is written."""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from playground import translate

_QT = "qtbase"


def use(choice: str, app: QApplication) -> None:
    """The language from now on: one of `translate.LANGUAGES`, or ``system``. What was made before keeps its texts."""
    system = QLocale.system().name()
    translate.use(choice, system)
    for old in app.findChildren(QTranslator, _QT):
        app.removeTranslator(old)
        old.deleteLater()
    qt = QTranslator(app)
    qt.setObjectName(_QT)
    language = system[:2] if choice == "system" else choice
    if qt.load(f"{_QT}_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qt)
