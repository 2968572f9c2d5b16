"""Cost by the number of containers, drawn by gnuplot from the rows of case_growth."""

import subprocess

COLUMNS = {"cold_ms": "cold login", "floor_ms": "the kernel's work alone", "warm_ms": "warm login",
           "list_ms": "carrel list"}


def draw(rows, file):
    lines = "\n".join(" ".join([count, *(str(row[column]) for column in COLUMNS)])
                      for count, row in rows.items())
    curves = ", ".join(f'$data using 1:{number} with linespoints title "{title}"'
                       for number, title in enumerate(COLUMNS.values(), start=2))
    subprocess.run(["gnuplot"], check=True, text=True, input=f"""
set terminal svg size 800,500 background "white"
set output "{file}"
set logscale xy
set xlabel "running containers"
set ylabel "milliseconds"
set grid
set key outside bottom center horizontal
$data << EOD
{lines}
EOD
plot {curves}
""")
