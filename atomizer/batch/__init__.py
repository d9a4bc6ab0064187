"""Files: sounds of any length, one or many, are read, filled in and written.

A file of up to `WHOLE_SECONDS` is filled as a whole; longer ones part by part, in memory that does
not grow with their length. A file appears under its name when it is complete.

request.py     what happens to a file, and what became of it
one_file.py    one file, by whole.py or long_files.py
many_files.py  files, folders and patterns, with a report
"""

from .many_files import FileJob, Report, fill_files, list_jobs
from .one_file import fill_file
from .request import Outcome, Request, Watch

__all__ = [
    "FileJob",
    "Outcome",
    "Report",
    "Request",
    "Watch",
    "fill_file",
    "fill_files",
    "list_jobs",
]
