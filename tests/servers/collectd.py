"""A real collectd with its statsd plugin, which writes what it counted to a file."""
import collections
import csv

from servers.process import Process, free_port


class Collectd:
    """With `interval`, the seconds after which collectd writes what it has counted."""

    def __init__(self, folder, interval=1):
        self.port, self.data = free_port(), folder / "csv"
        config = folder / "collectd.conf"
        config.write_text(f"""\
BaseDir "{folder}"
PIDFile "{folder}/pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Interval {interval}
Hostname "host"
LoadPlugin statsd
LoadPlugin csv
LoadPlugin logfile
<Plugin logfile>
  File stderr
</Plugin>
<Plugin statsd>
  Host "127.0.0.1"
  Port "{self.port}"
  CounterSum true
  DeleteCounters false
</Plugin>
<Plugin csv>
  DataDir "{self.data}"
  StoreRates false
</Plugin>
""")
        self.process = Process("collectd", folder, ["collectd", "-f", "-C", str(config)])

    def start(self):
        self.process.start(lambda: any(f":{self.port:04X} " in row for row in open("/proc/net/udp", encoding="ascii")))
        return self

    def sums(self):
        """CounterSum gives the amount of each interval; the file has one line for each."""
        sums = collections.Counter()
        for file in self.data.glob("host/statsd/count-*"):
            name = file.name[len("count-"):-len("-2026-01-01")]
            with open(file, encoding="utf-8") as lines:
                sums[name] += sum(float(row[-1]) for row in list(csv.reader(lines))[1:])
        return sums

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()
