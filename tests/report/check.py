"""Opens the pages of `smoe report` and `smoe study` in headless Chromium, on a desk, on a tablet and on a phone, in light and in dark, and uses them:
of runs with 10, 40 and 255 experts and with none, of runs side by side, and of a study. serve.py does that with the page of `smoe serve`.

Every part must be there, every chart must have a curve, nothing may be asked of a network or printed as an error, and nothing
may be cut, lie on something else, or stick out sideways; zoom, sliders, hover, keys and touch must do what they say. Leaves
screenshots to look at. `make browser` runs this; Chromium is the system's own.
"""

import argparse
import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

from browser import SCREENS, check_width, chromium, chromium_path, expect, visited
from serve import check_serve

EXPERTS = {"learned": 10, "forty": 40, "full": 255, "dense": 0}
PARTS = {**dict.fromkeys(EXPERTS, ["What it learned", "Who does the work", "Who changes experts", "What the router learned",
                                   "Token by token", "Experts and domains", "What the experts know", "What experts share",
                                   "Speed and memory"]),
         "dense": ["What it learned", "Token by token", "Domains", "Speed and memory"],
         **dict.fromkeys(["compare", "seeds"], ["At their ends", "On the way", "What differs"]),
         "study": ["Failed", "What they cost", "Which is ahead", "By domain", "On the way"]}
CHARTS = {**dict.fromkeys(EXPERTS, 7), "dense": 3, "compare": 3, "seeds": 3, "study": 2}
ARMS = {"sparse": [], "half": ["--mask-rate", 0.5], "hash": ["--routing", "hash"], "plain": ["--routing", "none"]}
SEEDS = (1, 2, 3)
SMALL = ["--layers", 1, "--width", 32, "--heads", 2, "--hidden", 64, "--router-layers", 1, "--router-width", 16, "--router-hidden", 32,
         "--batch", 4, "--entries", 300]
STUDY = {"base": {"data": "corpus/train.jsonl", "valid": "corpus/valid.jsonl", "width": 16, "layers": 1, "heads": 2, "hidden": 32,
                  "preset": "tiny_original", "entries": 300, "context": 60, "batch": 4, "steps": 60, "log-every": 10, "eval-every": 10,
                  "sample-every": 0, "warmup": 2, "eval-tokens": 2000, "routing": "hash"},
         "arms": [{"name": "dense", "what": "no experts", "set": {"routing": "none"}}, {"name": "hash2", "set": {"experts": 2}},
                  {"name": "hash32_with_a_name_as_long_as_it_may_be", "what": "a line for people", "set": {"experts": 32}},
                  {"name": "failing", "lr": [1e30]}],
         "lr": [0.01, 0.02], "seeds": [1, 2, 3], "sweep": {"steps": 20}, "compare_to": "dense"}


def make_pages(program, folder):
    """Short runs and their pages, by name."""
    shutil.rmtree(folder, ignore_errors=True)

    def smoe(*words, expected=0):
        status = subprocess.run([program, *map(str, words)], stdout=subprocess.DEVNULL).returncode
        expect(status == expected, f"{words[0]} ended with {status}, expected {expected}")

    smoe("corpus", "-o", folder / "corpus", "--stories", 3000, "--valid-stories", 200)
    runs = {"learned": [], "half": ["--mask-rate", 0.5], "dense": ["--routing", "none"],
            "forty": ["--experts", 40, *SMALL], "full": ["--experts", 255, *SMALL],
            **{f"{arm}-s{seed}": ["--seed", seed, *settings, *SMALL] for seed in SEEDS for arm, settings in ARMS.items()}}
    for run, settings in runs.items():
        smoe("train", "--run", folder / run, "--data", folder / "corpus/train.jsonl", "--valid", folder / "corpus/valid.jsonl",
             "--preset", "tiny_original", "--steps", 120, "--router-steps", 80, "--log-every", 2, "--eval-every", 20, "--warmup", 20,
             "--sample-every", 0, *settings)
    for run in EXPERTS:
        smoe("report", folder / run)
    smoe("report", "--compare", *(folder / run for run in ("learned", "half", "dense")), "-o", folder / "compare.html")
    smoe("report", "--compare", *(folder / f"{arm}-s{seed}" for arm in ARMS for seed in SEEDS), "-o", folder / "seeds.html")
    shutil.copytree(folder / "learned", folder / "silent")
    (folder / "silent/metrics.jsonl").unlink()
    smoe("report", "--compare", folder / "learned", folder / "silent", "-o", folder / "gaps.html")
    (folder / "plan.json").write_text(json.dumps(STUDY))
    smoe("study", folder / "plan.json", "-o", folder / "study", expected=1)  # one of its arms fails
    expect((folder / "study/index.html").exists(), "the study was refused")
    return {**{run: folder / run / "report.html" for run in EXPERTS},
            **{name: folder / f"{name}.html" for name in ("compare", "seeds")}, "study": folder / "study/index.html"}


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


# What sticks out of the box that should hold it, and labels that lie on one another, as texts.
MISPLACED = """() => {
    const problems = [], box = one => one.getBoundingClientRect();
    for (const svg of document.querySelectorAll('figure.chart > svg')) {
        const texts = [...svg.querySelectorAll('text')], outer = box(svg);
        for (const text of texts) {
            const {left, right, top, bottom} = box(text);
            if (left < outer.left - 1 || right > outer.right + 1 || top < outer.top - 1 || bottom > outer.bottom + 1)
                problems.push(`${text.textContent} leaves its chart`);
            for (const other of texts) {
                const there = box(other);
                if (other !== text && left < there.right && there.left < right && top < there.bottom && there.top < bottom)
                    problems.push(`${text.textContent} lies on ${other.textContent}`);
            }
        }
    }
    for (const one of document.querySelectorAll('main *:not(.scroll *, svg *)')) {
        if (one.checkVisibility() && (box(one).right > innerWidth + 1 || box(one).left < -1))
            problems.push(`${one.tagName} ${one.className} sticks out`);
    }
    for (const cell of document.querySelectorAll('th, td, .fact, .entries > *')) {
        if (cell.scrollWidth > cell.clientWidth + 1) problems.push(`${cell.textContent} is cut`);
    }
    return [...new Set(problems)];
}"""


def check_layout(page, name, screen):
    check_width(page, name)
    problems = page.evaluate(MISPLACED)
    expect(not problems, f"{name} on a {screen}: {problems[:5]}")
    if screen != "phone":  # there tables scroll inside their boxes
        cut = page.locator(".scroll").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText.slice(0, 40))")
        expect(not cut, f"{name} on a {screen}: cut on the right: {cut}")
    for box in page.locator(".entries, .map .scroll").all():
        height = box.bounding_box()["height"]
        expect(height <= 0.85 * page.viewport_size["height"], f"{name}: a legend or a map is {height} pixels high")


def colours_of(swatches):
    return swatches.evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")


def check_experts(page, name):
    """The colours of experts, and the tables or maps of what they do and share."""
    experts = EXPERTS[name]
    shares = page.locator("figure.chart").nth(1)
    colours = colours_of(shares.locator(".entries i"))
    expect(len(colours) == experts == len(set(colours)), f"{name}: {len(set(colours))} colours of {len(colours)} experts")
    first = shares.locator("g").first
    shares.get_by_role("button").nth(1).click()
    expect(first.get_attribute("opacity") == "0.12", f"{name}: a click on an entry sets nothing off")
    shares.get_by_role("button").nth(1).click()
    expect(first.get_attribute("opacity") == "1", f"{name}: a second click does not end that")
    maps = page.locator("figure.map")
    if experts <= 12:
        heat = page.locator("td.heat")
        expect(heat.count() == 3 * experts + experts * experts and maps.count() == 0, f"{name}: {heat.count()} cells of heat")
        overlap = colours_of(heat)[3 * experts:]
        hues = {colour.rsplit(",", 1)[0] for colour in overlap}
        expect(len(hues) == 3, f"{name}: overlap is not below, above, or on the diagonal: {hues}")
        return
    expect(maps.count() == 2 and page.locator("td.heat").count() == 0, f"{name}: {maps.count()} maps")
    for number, box in enumerate(maps.all()):
        picture, told = box.locator("canvas"), box.locator(".told")
        distinct = picture.evaluate("""one => {
            const {data} = one.getContext('2d').getImageData(0, 0, one.width, one.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }""")
        expect(distinct > 20, f"{name}: a map has only {distinct} colours")
        picture.scroll_into_view_if_needed()
        picture.focus()
        for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
            page.keyboard.press(key)
        said = "Experts 1 and 2 both keep" if number == 1 else "german: expert 2 took"
        expect(told.inner_text().startswith(said), f"{name}: the arrow keys say {told.inner_text()!r}")
        place = box.locator(".scroll").bounding_box()
        page.mouse.move(place["x"] + 250, place["y"] + 0.5 * place["height"])
        expect("xpert" in told.inner_text() and not told.inner_text().startswith(said), f"{name}: a map does not follow the cursor")


def check_arms(page, name):
    """Runs that differ by their seed share colour, band and legend."""
    runs, arms = (12, 4) if name == "seeds" else (3, 3)
    for chart in page.locator("figure.chart").all():
        colours = colours_of(chart.locator(".entries i"))
        expect(len(colours) == len(set(colours)) == arms, f"{name}: {colours} are the colours of the legend")
        lines = chart.locator("polyline").evaluate_all("all => all.map(one => one.getAttribute('stroke'))")
        expect(len(lines) == runs and len(set(lines)) == arms, f"{name}: {len(lines)} lines in {len(set(lines))} colours")
        bands = chart.locator("polygon").count()
        expect(bands == (arms if runs > arms else 0), f"{name}: {bands} bands")
    expect(page.locator("table").first.locator("tbody tr").count() == runs + (arms if runs > arms else 0), f"{name}: a run is missing")
    if runs > arms:
        legend = page.locator(".entries").first.inner_text()
        expect(all(f"{arm}:" in legend for arm in ARMS), f"{name}: the legend is {legend}")
    curve = page.locator("polyline").first
    for kind in ("tokens", "seconds"):
        page.get_by_role("combobox").select_option(kind)
        expect(kind in page.locator(".legend").first.inner_text(), f"{name}: the axis is not in {kind}")
        expect("NaN" not in curve.get_attribute("points"), f"{name}: no curve over {kind}")


def check_study(page, name):
    """Both choices change table and curves; failed runs are named."""
    text = page.locator("main").inner_text()
    expect("failing, lr 1e+30, seed 3" in text and "After 60 steps." in text, f"{name}: a failed run or the steps are not named")
    result, curve = page.locator("#result"), page.locator("#charts polyline").first
    for choice, value in (("over", "seconds"), ("over", "multiply-adds"), ("domain", "german")):
        before, points = result.inner_text(), curve.get_attribute("points")
        page.get_by_label(choice, exact=True).select_option(value)
        expect(result.inner_text() != before, f"{name}: {value} changes nothing in the table")
        expect(value in result.inner_text() or value == "seconds", f"{name}: the table does not say {value}")
        expect(curve.get_attribute("points") != points, f"{name}: {value} changes no curve")
    expect(page.locator("#charts polygon").count() == 6, f"{name}: {page.locator('#charts polygon').count()} bands")


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
    expect(tip.locator(".bar").count() == min(12, EXPERTS[name]), f"{name}: the router's probabilities are not all there")
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


def check_page(page, name, screen, shot):
    check_parts(page, name)
    check_layout(page, name, screen)
    page.screenshot(path=f"{shot}.png", full_page=True)
    if screen == "desk":
        check_zoom(page)
    if name == "study":
        check_study(page, name)
    elif name not in EXPERTS:
        check_arms(page, name)
    else:
        if EXPERTS[name] > 0:
            check_experts(page, name)
        check_tokens(page, name, screen == "phone", f"{shot}-token.png")
        page.locator("summary").click()
        expect("model.width" in page.locator("details").inner_text(), f"{name}: the settings are missing")


def check_gaps(browser, path):
    """A comparison names the run that has no reports, and draws the other one."""
    page = browser.new_page()
    page.goto(path.resolve().as_uri())
    expect("There are no reports of silent yet" in page.locator("main").inner_text(), "gaps: no word about the run without reports")
    expect(page.locator("polyline").count() == 3, f"gaps: {page.locator('polyline').count()} curves, expected 3")
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    build = parser.parse_args().build
    folder = build / "report"
    chromium_path()
    pages = make_pages(build / "smoe", folder)
    with chromium() as browser:
        for name, path in pages.items():
            for screen, scheme in product(SCREENS, ("light", "dark")):
                with visited(browser, path.resolve().as_uri(), name, screen, scheme) as page:
                    check_page(page, name, screen, folder / f"{name}-{screen}-{scheme}")
                print(f"{name:<8} {screen:<6} {scheme:<6} in order")
        check_gaps(browser, folder / "gaps.html")
        check_serve(browser, build / "smoe", folder)
    print(f"screenshots: {folder}/*.png")


if __name__ == "__main__":
    main()
