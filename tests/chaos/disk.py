"""A file system of some megabytes, which a test can fill or make read-only. SQLite's log alone may take four megabytes."""
import subprocess


class SmallDisk:
    def __init__(self, folder, megabytes=32):
        self.folder, self.filler = folder, folder / "filler"
        folder.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))

    @staticmethod
    def _mount(*words):
        subprocess.run(["mount", *words], check=True)

    def fill(self):
        with open(self.filler, "ab", 0) as file:
            for size in (1 << 16, 1 << 12):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass

    def clear(self):
        self.filler.unlink(missing_ok=True)

    def protect(self, is_protected=True):
        self._mount("-o", "remount,ro" if is_protected else "remount,rw", str(self.folder))

    def stop(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)
