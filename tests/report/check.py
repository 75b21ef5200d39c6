"""Opens the pages of `smoe report` in headless Chromium, on a desk and on a phone, in light and in dark, and uses them.

Every part must be there, every chart must have a curve, nothing may be asked of a network or printed as an error, and nothing
may stick out sideways; zoom, sliders, hover, keys and touch must do what they say. Leaves screenshots to look at. `make browser`
runs this; Chromium is the system's own.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SCREENS = {"desk": dict(viewport={"width": 1280, "height": 800}),
           "phone": dict(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)}
PARTS = {"learned": ["What it learned", "Who does the work", "What the router learned", "Token by token", "Experts and domains",
                     "What experts share", "Speed and memory"],
         "dense": ["What it learned", "Token by token", "Domains", "Speed and memory"],
         "compare": ["At their ends", "On the way", "What differs"]}
CHARTS = {"learned": 6, "dense": 3, "compare": 3}
EXPERTS = 10


def expect(holds, what):
    if not holds:
        sys.exit(f"check.py: {what}")


def make_pages(program, folder):
    """Three short runs and their pages, by name."""
    shutil.rmtree(folder, ignore_errors=True)

    def smoe(*words):
        subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    smoe("corpus", "-o", folder / "corpus", "--stories", 3000, "--valid-stories", 200)
    for run, settings in {"learned": [], "half": ["--mask-rate", 0.5], "dense": ["--routing", "none"]}.items():
        smoe("train", "--run", folder / run, "--data", folder / "corpus/train.jsonl", "--valid", folder / "corpus/valid.jsonl",
             "--preset", "tiny", "--steps", 120, "--router-steps", 80, "--log-every", 2, "--eval-every", 20, "--warmup", 20, *settings)
    for run in ("learned", "dense"):
        smoe("report", folder / run)
    smoe("report", "--compare", *(folder / run for run in ("learned", "half", "dense")), "-o", folder / "compare.html")
    return {"learned": folder / "learned/report.html", "dense": folder / "dense/report.html", "compare": folder / "compare.html"}


def check_parts(page, name):
    titles = page.locator("h2").all_inner_texts()
    expect(titles == PARTS[name], f"{name}: parts are {titles}, expected {PARTS[name]}")
    charts = page.locator("figure.chart")
    expect(charts.count() == CHARTS[name], f"{name}: {charts.count()} charts, expected {CHARTS[name]}")
    for chart in charts.all():
        label = chart.locator("> svg").get_attribute("aria-label")
        curves = chart.locator("polyline, polygon").evaluate_all("all => all.map(one => one.getAttribute('points'))")
        expect(curves and all(len(points.split()) >= 2 and "NaN" not in points for points in curves),
               f"{name}: the chart of {label} has an empty curve")
        expect(chart.locator("svg text").count() >= 4, f"{name}: the chart of {label} has no scale")
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    expect(wide <= 0, f"{name}: the page is {wide} pixels wider than its screen")


def check_zoom(page):
    chart = page.locator("figure.chart").first
    chart.scroll_into_view_if_needed()

    def shown():
        return chart.evaluate("one => [Number(one.dataset.from), Number(one.dataset.to)]")

    first, last = shown()
    box = chart.locator("> svg").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=3)
    expect(chart.locator("rect.chosen").count() == 1, "dragging does not show what is chosen")
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=3)
    page.mouse.up()
    low, high = shown()
    expect(0.08 < (high - low) / (last - first) < 0.35 and low > first, f"dragging shows steps {low} to {high}")
    before = chart.locator(".legend").inner_text()
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    expect(chart.locator("line.cursor").count() == 1 and chart.locator(".legend").inner_text() != before,
           "the legend does not follow the cursor")
    chart.get_by_role("button", name="Show all").click()
    expect(shown() == [first, last], f"'Show all' shows {shown()}")
    slider = chart.get_by_role("slider").first
    slider.focus()
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    expect(first < shown()[0] < last and shown()[1] == last, f"the slider shows {shown()}")
    chart.locator("> svg").dblclick()
    expect(shown() == [first, last], f"a double click shows {shown()}")


def check_tokens(page, name, touch, shot):
    story, tip = page.locator(".story").first, page.locator("#tip")
    tokens = story.locator("span")
    expect(page.locator(".story").count() == 6 and tokens.count() > 10, f"{name}: stories are missing")
    story.scroll_into_view_if_needed()
    if touch:
        tokens.nth(3).tap()
    else:
        tokens.nth(3).hover()
    expect(tip.is_visible() and "was given" in tip.inner_text(), f"{name}: a token says nothing")
    expect(tip.locator(".bar").count() == (EXPERTS if name == "learned" else 0), f"{name}: the router's probabilities are not all there")
    box, screen = tip.bounding_box(), page.viewport_size
    expect(box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= screen["width"] and box["y"] + box["height"] <= screen["height"],
           f"{name}: what a token says is outside the screen")
    page.screenshot(path=shot)
    text = tip.inner_text()
    story.focus()
    page.keyboard.press("ArrowRight")
    expect(tip.is_visible() and tip.inner_text() != text, f"{name}: the arrow keys do not move on")
    page.keyboard.press("Escape")
    expect(tip.is_hidden(), f"{name}: Escape does not end it")


def check_page(browser, name, path, screen, scheme, shots):
    context = browser.new_context(color_scheme=scheme, **SCREENS[screen])
    page = context.new_page()
    problems, asked = [], []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.resolve().as_uri())
    check_parts(page, name)
    page.screenshot(path=shots / f"{name}-{screen}-{scheme}.png", full_page=True)
    if screen == "desk":
        check_zoom(page)
    if name == "compare":
        expect(page.locator("tbody tr").count() >= 3, "compare: a run is missing")
        curve = page.locator("polyline").first
        for kind in ("tokens", "seconds"):
            page.get_by_role("combobox").select_option(kind)
            expect(kind in page.locator(".legend").first.inner_text(), f"compare: the axis is not in {kind}")
            expect("NaN" not in curve.get_attribute("points"), f"compare: no curve over {kind}")
    else:
        check_tokens(page, name, screen == "phone", shots / f"{name}-{screen}-{scheme}-token.png")
        heat = page.locator("td.heat").count()
        expect(heat == (3 * EXPERTS + EXPERTS * EXPERTS if name == "learned" else 0), f"{name}: {heat} cells of heat")
        page.locator("summary").click()
        expect("model.width" in page.locator("details").inner_text(), f"{name}: the settings are missing")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    is_dark = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) < 200
    expect(is_dark == (scheme == "dark"), f"{name}: the ground is {ground} in a {scheme} scheme")
    expect(not problems, f"{name}: the browser complains: {problems}")
    expect(asked == [path.resolve().as_uri()], f"{name}: the page asked for {asked}")
    context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    build = parser.parse_args().build
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    expect(chromium, "there is no Chromium on this machine; on Debian: apt install chromium")
    folder = build / "report"
    pages = make_pages(build / "smoe", folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, path in pages.items():
            for screen in SCREENS:
                for scheme in ("light", "dark"):
                    check_page(browser, name, path, screen, scheme, folder)
                    print(f"{name:<8} {screen:<6} {scheme:<6} in order")
        browser.close()
    print(f"screenshots: {folder}/*.png")


if __name__ == "__main__":
    main()
