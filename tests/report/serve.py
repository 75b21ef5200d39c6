"""Opens the page of `smoe serve` in headless Chromium, at a desk and on a phone, in light and in dark, and uses every control.

    build/venv/bin/python tests/report/serve.py build     what check.py does with this page, alone

Texts must stream, tokens must tell what was thought, alternatives must be taken, experts forced, banned and compared, with
mouse, touch and keys; nothing may stick out, ask another address, or be printed as an error. Leaves screenshots.
"""
import json
import shutil
import sys
from itertools import product
from pathlib import Path

from browser import check_width, chromium, expect, visited

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

KEY = "open sesame"


def wait_until_written(page):
    page.locator("#stop:disabled").wait_for()  # the page's policy forbids conditions that are evaluated in it
    expect(page.locator("#problem").inner_text() == "", f"the page complains: {page.get_by_role('alert').inner_text()}")
    return page.locator("#state").inner_text()


def set_slider(page, name, value):
    page.get_by_label(name).evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value)


def write(page):
    page.locator("#write").click()
    return wait_until_written(page)


def check_text(page, name):
    """Streaming, colours and the sliders."""
    page.get_by_label("Prompt").fill("Once upon a time")
    set_slider(page, "Most new tokens", 300)  # enough to take longer than a few looks of the server
    page.evaluate("window.lengths = []; new MutationObserver(() => lengths.push(document.querySelector('.story')?.textContent.length)).observe("
                  "document.querySelector('main'), {childList: true, subtree: true})")
    said = write(page)
    expect("ended by" in said, f"{name}: the status is {said!r}")
    expect(len(set(page.evaluate("lengths"))) > 3, f"{name}: the text did not come piece by piece")
    story = page.locator(".story")
    text = story.inner_text()
    expect(text.startswith("Once upon a time") and len(text) > 40, f"{name}: the text is {text!r}")
    colours = story.locator("span").evaluate_all("all => all.map(one => one.style.background)")
    expect(len(set(colours)) > 2, f"{name}: the tokens have {len(set(colours))} colours")
    expect(story.locator(".prompt").count() >= 3 and story.locator(".prompt").count() < len(colours), f"{name}: the prompt is not marked")
    write(page)
    expect(story.inner_text() == text, f"{name}: the same seed gave a different text")
    for control, value in (("Temperature", 1.9), ("Top-p", 0.3), ("Most new tokens", 5)):
        set_slider(page, control, value)
        write(page)
        expect(story.inner_text() != text, f"{name}: {control} changes nothing")
        text = story.inner_text()
    expect(story.locator("span:not(.prompt)").count() <= 5, f"{name}: more tokens than asked for")
    set_slider(page, "Most new tokens", 40)
    set_slider(page, "Temperature", 0.8)
    before = page.get_by_label("Seed").input_value()
    page.get_by_role("button", name="Another seed").click()
    wait_until_written(page)
    expect(page.get_by_label("Seed").input_value() != before, f"{name}: the seed stays")


def check_thought(page, name, touch, shot):
    """What a token tells, by mouse, touch and keys, and going on from an alternative."""
    story, thought = page.locator(".story"), page.locator(".thought")
    tokens = story.locator("span")
    page.mouse.move(0, 0)  # clicks left it where a text may come to lie under it
    (tokens.nth(5).tap if touch else tokens.nth(5).hover)()
    expect("was given" in thought.inner_text() and thought.locator("li button").count() == 5, f"{name}: a token tells nothing")
    bars = thought.locator(".bar").evaluate_all("all => all.map(one => one.getBoundingClientRect()).map(box => box.width * box.height)")
    expect(len(bars) == 15 and min(bars) > 0 and max(bars) > 5 * min(bars), f"{name}: bars have the areas {bars}")
    expect(thought.locator(".router > div").count() == 10, f"{name}: the router is not shown")
    (tokens.nth(6).tap if touch else tokens.nth(6).click)()
    expect(tokens.nth(6).evaluate("one => one.classList.contains('pinned')"), f"{name}: a token is not marked")
    page.screenshot(path=shot, full_page=True)
    told = thought.inner_text()
    story.focus()
    page.keyboard.press("ArrowRight")
    expect(thought.inner_text() != told, f"{name}: the arrow keys do not move on")
    page.keyboard.press("Enter")
    expect(page.evaluate("document.activeElement.closest('.thought') !== null"), f"{name}: Enter does not reach the alternatives")
    page.keyboard.press("Escape")
    expect("Point at a token" in thought.inner_text(), f"{name}: Escape does not end it")
    (tokens.nth(8).tap if touch else tokens.nth(8).click)()
    kept = tokens.evaluate_all("all => all.slice(0, 8).map(one => one.textContent).join('')")
    other = thought.locator("li button:not(.taken)").first
    label = other.get_attribute("aria-label")
    expect("go on from there" in label, f"{name}: an alternative has the label {label!r}")
    taken = other.locator("span").first.inner_text().replace("␣", " ")
    other.click()
    wait_until_written(page)
    text = story.inner_text()
    expect(taken == "the end" or text.startswith(kept + taken), f"{name}: {text!r} does not go on from {kept + taken!r}")


def check_experts(page, name, shot):
    choice, story = page.get_by_label("Experts", exact=True), page.locator(".story")
    page.get_by_label("Seed").fill("3")
    write(page)
    free = story.inner_text()

    def colours():
        return set(story.first.locator("span:not(:empty)").evaluate_all("all => all.map(one => one.style.background)"))

    used = colours()
    choice.select_option("only 4")
    write(page)
    expect(len(colours()) == 1, f"{name}: a forced expert does not write all")
    forced = story.inner_text()
    choice.select_option("ban 4")
    write(page)
    expect(len(colours()) > 1, f"{name}: banning one expert leaves {len(colours())}")
    choice.select_option("all")
    write(page)
    expect(colours() == {""}, f"{name}: with all neurons on, tokens have colours")
    choice.select_option("")
    page.get_by_role("button", name="Each expert side by side").click()
    wait_until_written(page)
    texts = story.all_inner_texts()
    expect(len(texts) == 12 and texts[0] == free and texts[6] == forced, f"{name}: side by side there are {len(texts)} texts, or others")
    story.nth(3).locator("span").nth(4).click()
    expect("expert 1 processed it" in page.locator(".thought").inner_text(), f"{name}: a token side by side tells nothing")
    box = page.locator(".thought").bounding_box()
    expect(box["y"] < page.viewport_size["height"] - 100, f"{name}: what a token tells is out of sight")
    page.screenshot(path=shot)
    page.locator(".thought li button:not(.taken)").first.click()
    wait_until_written(page)
    expect(story.count() == 1 and len(colours()) == 1, f"{name}: an alternative of one expert goes on with others")
    expect(len(used) > 1, f"{name}: the router used one expert only")


def check_stop(page, name):
    page.get_by_label("Prompt").focus()
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Each expert side by side").click()
    page.get_by_role("button", name="Stop").click()
    expect("Stopped" in wait_until_written(page), f"{name}: Stop does not stop")
    page.get_by_label("Seed").fill("")
    page.locator("#write").click()
    expect(page.evaluate("document.querySelector('#seed:invalid') !== null"), f"{name}: no seed is not noticed")
    page.get_by_label("Seed").fill("1")
    page.get_by_label("Prompt").fill("too long " * 900)
    page.locator("#write").click()
    page.locator("[role=alert]", has_text="context").wait_for()
    page.get_by_label("Prompt").fill("</script><b>Once")
    write(page)
    expect("</script><b>Once" in page.locator(".story").inner_text(), f"{name}: markup in a prompt is not shown as it is")


def check_layout(page, name):
    check_width(page, name)
    unlabelled = page.locator("input, select, textarea").evaluate_all("all => all.filter(one => one.labels.length === 0).map(one => one.outerHTML)")
    expect(not unlabelled, f"{name}: without a label: {unlabelled}")
    small = page.locator("button:visible:not(.entries *)").evaluate_all("all => all.filter(one => one.getBoundingClientRect().height < 24).map(one => one.textContent)")
    expect(not small, f"{name}: too small to touch: {small}")


def check_writing(page, name, screen, shot):
    """All that can be done with a model that has a learned router and ten experts."""
    check_text(page, name)
    check_layout(page, name)
    check_thought(page, name, screen == "phone", f"{shot}-token.png")
    check_experts(page, name, f"{shot}-experts.png")
    check_layout(page, name)
    check_stop(page, name)


def check_tabs(page, name):
    """Another run is shown when it is chosen, also after the page was loaded again."""
    page.get_by_role("button", name="Training").click()
    page.locator("figure.chart").first.wait_for()
    expect(page.get_by_label("Prompt").is_hidden(), f"{name}: there are two views at once")
    page.get_by_label("Run").select_option("dense")
    page.locator("h2", has_text="Who does the work").wait_for(state="detached")
    page.reload()
    page.get_by_label("Run").select_option("dense")
    page.locator("figure.chart").first.wait_for()
    check_layout(page, name)
    page.get_by_role("button", name="Writing").click()
    expect(page.locator("figure.chart").first.is_hidden(), f"{name}: there are two views at once")


def check_page(page, name, screen, shot):
    page.get_by_label("Prompt").wait_for()
    check_layout(page, name)
    page.screenshot(path=f"{shot}.png", full_page=True)
    model = page.get_by_label("Model", exact=True)
    model.select_option("dense")
    expect(page.get_by_label("Experts", exact=True).is_hidden() and page.get_by_role("button", name="Each expert").is_hidden(),
           f"{name}: a dense model has experts")
    write(page)
    model.select_option("learned")
    check_writing(page, name, screen, shot)


def check_key(browser, address):
    page = browser.new_page()
    page.goto(address)
    for key in ("wrong", KEY):
        page.get_by_label("This server has a key").fill(key)
        page.get_by_role("button", name="Open").click()
        if key != KEY:
            page.locator("[role=alert]", has_text="not its key").wait_for()
    page.locator("#write").wait_for()
    write(page)
    page.close()


def check_training(page, name, run, lines, screen, shot):
    """A run without a model that goes on while it is watched."""
    metrics, samples = run / "metrics.jsonl", run / "samples.jsonl"
    page.locator("figure.chart").first.wait_for()
    expect(page.get_by_role("button", name="Writing").is_hidden(), f"{name}: one can write without a model")
    titles = page.locator("h2:visible").all_inner_texts()
    expect(titles == ["What it learned", "Who does the work", "Who changes experts", "What the router learned", "Speed and memory"],
           f"{name}: parts are {titles}")
    expect("Last report" in page.locator("#reported").inner_text(), f"{name}: the age of the last report is missing")
    chart = page.locator("figure.chart").first
    points = chart.locator("polyline").first.get_attribute("points")
    chart.get_by_role("slider").first.focus()
    for _ in range(300):
        page.keyboard.press("ArrowRight")
    zoomed = chart.get_attribute("data-from")
    metrics.write_text("".join(lines))
    samples.write_text("".join(json.dumps({"step": step, "text": "", "ids": [*range(40, 90)], "experts": [0, 7] * 25}) + "\n" for step in (20, 40)))
    page.locator("h3", has_text="step 40").wait_for()
    expect(chart.locator("polyline").first.get_attribute("points") != points, f"{name}: the curve does not go on")
    expect(chart.get_attribute("data-from") == zoomed and float(zoomed) > 0, f"{name}: news change what is shown")
    last = json.loads(lines[-1])["step"]
    expect(float(chart.get_attribute("data-to")) == last, f"{name}: the curve ends at {chart.get_attribute('data-to')}, expected {last}")
    expect(page.evaluate("document.activeElement.type") == "range", f"{name}: news take the focus away")
    expect(page.locator("h3", has_text="step").all_inner_texts() == ["step 40", "step 20"], f"{name}: samples are missing")
    token = page.locator(".story:visible span").nth(3)
    (token.tap if screen == "phone" else token.hover)()
    expect("expert 7" in page.locator("#tip").inner_text(), f"{name}: a token of a sample tells nothing")
    page.keyboard.press("Escape")
    check_layout(page, name)
    page.screenshot(path=f"{shot}.png", full_page=True)


def check_live(browser, program, folder):
    run = folder / "growing"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(folder / "learned", run)
    for file in run.glob("*.safetensors"):
        file.unlink()
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    with Served(program, [run]) as served:
        for screen, scheme in product(("desk", "phone"), ("light", "dark")):
            (run / "metrics.jsonl").write_text("".join(lines[:len(lines) // 2]) + lines[-1][:20])
            (run / "samples.jsonl").unlink(missing_ok=True)
            name = f"training {screen} {scheme}"
            with visited(browser, served.address, name, screen, scheme) as page:
                check_training(page, name, run, lines, screen, folder / f"training-{screen}-{scheme}")
            print(f"training {screen:<6} {scheme:<6} in order")


def check_serve(browser, program, folder):
    with Served(program, [folder / "learned", folder / "dense"]) as served:
        for screen, scheme in product(("desk", "phone"), ("light", "dark")):
            name = f"serve {screen} {scheme}"
            too_long = "400 (Bad Request)"  # the prompt of check_stop
            with visited(browser, served.address, name, screen, scheme, expected=[too_long]) as page:
                check_page(page, name, screen, folder / f"serve-{screen}-{scheme}")
            print(f"serve    {screen:<6} {scheme:<6} in order")
    with Served(program, [folder / "learned"], "--key", KEY) as served:
        check_key(browser, served.address)
    check_live(browser, program, folder)


def main():
    build = Path(sys.argv[1])
    with chromium() as browser:
        check_serve(browser, build / "smoe", build / "report")


if __name__ == "__main__":
    main()
