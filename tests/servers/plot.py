"""Draws a panel as a PNG, for servers that draw no pictures, such as VictoriaMetrics."""
import io

import cairocffi

COLOURS = ((0.33, 0.65, 0.39), (0.89, 0.63, 0.2), (0.36, 0.52, 0.86), (0.85, 0.35, 0.35), (0.6, 0.45, 0.8), (0.4, 0.7, 0.75))
LEFT, TOP, BOTTOM = 46, 24, 34  # pixels around the lines
ROWS = 2  # of the legend


def short(number):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def write(context, x, y, text, size=10):
    context.set_font_size(size)
    context.move_to(x, y)
    context.show_text(text)


def plot(title, lines, begin, end, width, height):
    """Returns a PNG. `lines`: {legend: {time: number}}."""
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    context = cairocffi.Context(surface)
    context.select_font_face("DejaVu Sans")
    context.set_source_rgb(0.06, 0.07, 0.09)
    context.paint()
    context.set_source_rgb(0.85, 0.85, 0.85)
    write(context, LEFT, 16, title, 12)
    top = max((number for points in lines.values() for number in points.values()), default=0) or 1
    for part in (0, 0.5, 1):
        write(context, 4, height - BOTTOM - part * (height - TOP - BOTTOM) + 4, short(part * top))
    for i, (legend, points) in enumerate(sorted(lines.items())):
        context.set_source_rgb(*COLOURS[i % len(COLOURS)])
        context.new_path()
        for time, number in sorted(points.items()):
            context.line_to(LEFT + (time - begin) / (end - begin) * (width - LEFT - 8),
                            height - BOTTOM - number / top * (height - TOP - BOTTOM))
        context.stroke()
        if i < ROWS * 3:
            write(context, LEFT + i % 3 * (width - LEFT) / 3, height - BOTTOM + 14 + i // 3 * 14, legend[:20])
    file = io.BytesIO()
    surface.write_to_png(file)
    return file.getvalue()
