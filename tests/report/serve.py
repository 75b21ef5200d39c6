"""Opens the page of `smoe serve` in headless Chromium, at a desk and on a phone, in light and in dark, and uses every control.

    build/venv/bin/python tests/report/serve.py build     what check.py does with this page, alone

Texts must stream, tokens must tell what was thought, alternatives must be taken, experts forced, banned and compared, with
mouse, touch and keys; nothing may stick out, ask another address, or be printed as an error. Leaves screenshots.
"""
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from served import Served  # noqa: E402

SCREENS = {"desk": dict(viewport={"width": 1280, "height": 800}),
           "phone": dict(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)}
KEY = "open sesame"


def expect(holds, what):
    if not holds:
        sys.exit(f"serve.py: {what}")


def wait_until_written(page):
    page.locator("#stop:disabled").wait_for()  # the page's policy forbids conditions that are evaluated in it
    expect(page.get_by_role("alert").inner_text() == "", f"the page complains: {page.get_by_role('alert').inner_text()}")
    return page.get_by_role("status").inner_text()


def set_slider(page, name, value):
    page.get_by_label(name).evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value)


def write(page):
    page.get_by_role("button", name="Write").click()
    return wait_until_written(page)


def check_text(page, name):
    """Streaming, colours and the sliders."""
    page.get_by_label("Prompt").fill("Once upon a time")
    set_slider(page, "Most new tokens", 60)
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
    page.get_by_role("button", name="Write").click()
    expect(page.evaluate("document.querySelector('#seed:invalid') !== null"), f"{name}: no seed is not noticed")
    page.get_by_label("Seed").fill("1")
    page.get_by_label("Prompt").fill("too long " * 900)
    page.get_by_role("button", name="Write").click()
    page.locator("[role=alert]", has_text="context").wait_for()
    page.get_by_label("Prompt").fill("</script><b>Once")
    write(page)
    expect("</script><b>Once" in page.locator(".story").inner_text(), f"{name}: markup in a prompt is not shown as it is")


def check_layout(page, name):
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    expect(wide <= 0, f"{name}: the page is {wide} pixels wider than its screen")
    unlabelled = page.locator("input, select, textarea").evaluate_all("all => all.filter(one => one.labels.length === 0).map(one => one.outerHTML)")
    expect(not unlabelled, f"{name}: without a label: {unlabelled}")
    small = page.locator("button:visible").evaluate_all("all => all.filter(one => one.getBoundingClientRect().height < 24).map(one => one.textContent)")
    expect(not small, f"{name}: too small to touch: {small}")


def check_page(browser, address, screen, scheme, shots):
    name = f"serve {screen} {scheme}"
    context = browser.new_context(color_scheme=scheme, **SCREENS[screen])
    page = context.new_page()
    problems, asked = [], []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_role("button", name="Write").wait_for()
    check_layout(page, name)
    page.screenshot(path=shots / f"serve-{screen}-{scheme}.png", full_page=True)
    page.get_by_label("Model", exact=True).select_option("learned")
    check_text(page, name)
    check_layout(page, name)
    check_thought(page, name, screen == "phone", shots / f"serve-{screen}-{scheme}-token.png")
    check_experts(page, name, shots / f"serve-{screen}-{scheme}-experts.png")
    check_layout(page, name)
    page.get_by_label("Model", exact=True).select_option("dense")
    expect(page.get_by_label("Experts", exact=True).is_hidden() and page.get_by_role("button", name="Each expert").is_hidden(),
           f"{name}: a dense model has experts")
    write(page)
    page.get_by_label("Model", exact=True).select_option("learned")
    check_stop(page, name)
    ours = [problem for problem in problems if "400 (Bad Request)" not in problem]  # of the prompt that is too long
    expect(not ours, f"{name}: the browser complains: {ours}")
    foreign = [url for url in asked if not url.startswith(address)]
    expect(not foreign, f"{name}: the page asked for {foreign}")
    context.close()


def check_key(browser, address):
    page = browser.new_page()
    page.goto(address)
    for key in ("wrong", KEY):
        page.get_by_label("This server has a key").fill(key)
        page.get_by_role("button", name="Open").click()
        if key != KEY:
            page.locator("[role=alert]", has_text="not its key").wait_for()
    page.get_by_role("button", name="Write").wait_for()
    write(page)
    page.close()


def check_serve(browser, program, folder):
    with Served(program, [folder / "learned", folder / "dense"]) as served:
        for screen in SCREENS:
            for scheme in ("light", "dark"):
                check_page(browser, served.address, screen, scheme, folder)
                print(f"serve    {screen:<6} {scheme:<6} in order")
    with Served(program, [folder / "learned"], "--key", KEY) as served:
        check_key(browser, served.address)


def main():
    build = Path(sys.argv[1])
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        check_serve(browser, build / "smoe", build / "report")
        browser.close()


if __name__ == "__main__":
    main()
