"""A real browser without a window: shows the document that a page has become, and a picture of the page."""
import pathlib
import subprocess

OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--proxy-server=direct://"]


class Browser:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def run(self, url, *options):
        done = subprocess.run(["chromium", *OPTIONS, f"--user-data-dir={self.folder}/browser", *options, url],
                              capture_output=True, timeout=90, cwd=self.folder)
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-2000:]
        return done.stdout.decode("utf-8", "replace")

    def dom(self, url, milliseconds=1000):
        """Returns the document after that much time of the page, with all changes that its scripts have made."""
        return self.run(url, "--dump-dom", f"--virtual-time-budget={milliseconds}")

    def picture(self, url, path, dark=False, width=1180, height=900):
        self.run(url, f"--screenshot={path}", f"--window-size={width},{height}", "--virtual-time-budget=1000",
                 f"--blink-settings=preferredColorScheme={0 if dark else 1}")
        return path
