-- Where the names in a document lead: links to documents become links to their pages; the name of a source in
-- `backticks` leads to its page, and that of a function behind it to the line in which it begins. The rules are those of
-- tests/check_docs.sh, which fails on a name that leads nowhere.
local source, folder, work
local page, exists, ending, functions = {}, {}, {}, {}

local function lines(path)
  local file = io.open(path)
  return file and file:lines() or function() end
end

function Meta(meta)
  source, work = pandoc.utils.stringify(meta.source), pandoc.utils.stringify(meta.work)
  folder = source:match("^(.*/)") or ""
  for line in lines(work .. "/pages") do
    local name, path = line:match("^([^\t]*)\t([^\t]*)")
    page[path] = name
  end
  for path in lines(work .. "/files") do
    exists[path] = true
    local rest = path
    while rest:find("/") do
      rest = rest:gsub("^[^/]*/", "", 1)
      ending[rest] = path
    end
  end
end

local function file_of(name)
  if exists[folder .. name] then return folder .. name end
  return exists[name] and name or ending[name]
end

local function source_page(path)
  return "source/" .. path:gsub("/", "-"):gsub("^%.", "") .. ".html"
end

local function page_of(path)
  return page[path] or source_page(path)
end

-- The line in which a function, or a member of a class, is defined: the least indented one with its name before a "(".
local function line_of(path, name)
  local key = path .. " " .. name
  if functions[key] == nil then
    local number, best, indented = 0, false, 99
    for line in lines(path) do
      number = number + 1
      local blanks = #line:match("^ *")
      if blanks < indented and not line:match("^%s*//") and line:find("%f[%w_]" .. name .. "[%(<]") then
        best, indented = number, blanks
      end
    end
    functions[key] = best
  end
  return functions[key]
end

function Link(link)
  local target, anchor = link.target:match("^([^#]*)(#?.*)$")
  if target == "" or target:match("^%a+:") then return end
  local path = (folder .. target):gsub("/$", "")
  while path:find("[^/]+/%.%./") do path = path:gsub("[^/]+/%.%./", "", 1) end
  if page[path] or exists[path] then
    link.target = page_of(path) .. anchor
  elseif page[path .. "/README.md"] then
    link.target = page[path .. "/README.md"] .. anchor
  else
    link.target = "sources.html#" .. path
  end
  return link
end

function Image(image)
  local file = image.src:match("%.svg$") and io.open(folder .. image.src)
  return file and pandoc.RawInline("html", file:read("a"))
end

-- `nn/linear.h`, `.cpp` and `nn/linear.cpp` `MaskedLinear::forward`
function Inlines(inlines)
  local file, stem, gap = nil, nil, ""
  for i, inline in ipairs(inlines) do
    if inline.t == "Code" then
      local text, target = inline.text, nil
      if stem and text:match("^%.%a+$") and exists[stem .. text] then
        target = page_of(stem .. text)
      elseif text:match("^[%w_./-]+%.%a+$") and file_of(text) then
        file = file_of(text)
        stem, target = file:match("^(.*)%.%a+$"), page_of(file)
      elseif file and gap:match("^,? ?[and ]*$") and text:match("^[%a_][%w_:]*$") and line_of(file, text) then
        target = source_page(file) .. "#L" .. line_of(file, text)
      else
        file = nil
      end
      if target then inlines[i] = pandoc.Link({inline}, target) end
      gap = ""
    else
      gap = gap .. pandoc.utils.stringify(inline)
    end
  end
  return inlines
end

-- A table may be wider than a phone.
function Table(tab)
  return {pandoc.RawBlock("html", '<div class="wide">'), tab, pandoc.RawBlock("html", "</div>")}
end

return {{Meta = Meta}, {Link = Link, Image = Image}, {Inlines = Inlines, Table = Table}}
