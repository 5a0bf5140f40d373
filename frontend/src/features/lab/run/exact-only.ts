// Modules of the exact pack that the light one lacks, by their top names; a test holds the list to both packs.
export const exactOnly = new Set(
  'argparse ast asyncio bz2 codeop configparser copyreg dis fileinput fnmatch getopt glob graphlib gzip hmac inspect ipaddress logging lzma pathlib pickle platform plistlib sched secrets shelve shlex shutil signal sqlite3 stat stringprep symtable tempfile threading timeit tokenize tomllib uuid wave xml zipfile zlib zoneinfo'.split(
    ' ',
  ),
);
