"""For people who test processes: scripts of what people do, played on a virtual clock."""
