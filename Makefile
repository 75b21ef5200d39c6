# What people type: `make demo`, `make test`; `make help` lists the rest.
# Every .cpp of a folder belongs to it: adding a file needs no change here.

CXX   ?= g++
ARCH  ?= native
BLAS  ?= openblas
HTTP  ?= httplib
BUILD ?= build

# For what only clang can do.
CLANG      ?= $(firstword $(foreach name,clang++ clang++-19 clang++-16 clang++-14,$(shell command -v $(name))) clang++)
CLANG_TIDY ?= $(firstword $(foreach name,clang-tidy clang-tidy-19 clang-tidy-16 clang-tidy-14,$(shell command -v $(name))) clang-tidy)

ifeq ($(origin CXX),default)
CXX := g++
endif
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
endif

# On ARM64 -mcpu says what -march says on x86-64.
ifneq ($(filter aarch64 arm64,$(shell uname -m)),)
ARCH_FLAG := -mcpu=$(ARCH)
else
ARCH_FLAG := -march=$(ARCH)
endif

OPENMP_FLAGS := -fopenmp
OPENMP_LIBS  := -fopenmp
ifeq ($(shell uname -s),Darwin)
BREW         := $(shell brew --prefix 2>/dev/null)
OPENMP_FLAGS := -Xpreprocessor -fopenmp -I$(BREW)/opt/libomp/include
OPENMP_LIBS  := -L$(BREW)/opt/libomp/lib -lomp
INCLUDES     := -I$(BREW)/include -I$(BREW)/opt/openblas/include
LIBRARIES    := -L$(BREW)/lib -L$(BREW)/opt/openblas/lib
endif
# Fedora and Arch keep cblas.h in a folder of its own.
INCLUDES += $(addprefix -I,$(wildcard /usr/include/openblas))

# No -ffast-math: NaN must stay visible. The two switches below only give up errno and traps.
CXXFLAGS ?= -O3
FLAGS := -std=c++20 $(CXXFLAGS) $(ARCH_FLAG) -fno-math-errno -fno-trapping-math -Wall -Wextra -Wshadow -Wno-pass-failed \
         $(OPENMP_FLAGS) -I. $(INCLUDES) $(SANITIZE)
FMT   ?= -lfmt
LIBS  := $(LIBRARIES) $(FMT) $(OPENMP_LIBS) $(SANITIZE)
ifeq ($(BLAS),none)
FLAGS += -DSMOE_NO_BLAS
else
LIBS  += -lopenblas
endif

# With MPI=1 a run goes on several processes. Only one file and the linking know of it.
MPI ?= 0
ifeq ($(MPI),1)
MPI_PACKAGE := $(firstword $(foreach name,mpi-c ompi-c ompi mpich,$(shell pkg-config --exists $(name) 2>/dev/null && echo $(name))))
LIBS += $(shell pkg-config --libs $(MPI_PACKAGE) 2>/dev/null)
endif

# Where cpp-httplib is a library, it says how it was built, and that must be said here, too.
ifeq ($(HTTP),none)
FLAGS += -DSMOE_NO_HTTP
else
HTTP_FLAGS := $(shell pkg-config --cflags cpp-httplib 2>/dev/null)
HTTP_LIBS  := $(shell pkg-config --libs cpp-httplib 2>/dev/null || echo -lcpp-httplib)
endif

# Where `make install` puts things. DESTDIR, for those who make packages, comes before it.
PREFIX ?= /usr/local
export DESTDIR

# Objects depend on how they are compiled: another compiler, ARCH or BLAS gets a folder of its own.
KEY := $(shell echo '$(CXX) $(FLAGS)' | cksum | cut -d' ' -f1)
OBJ := $(BUILD)/obj-$(KEY)

SOURCES := $(filter-out core/processes_$(if $(filter 1,$(MPI)),single,mpi).cpp,$(wildcard core/*.cpp core/tiles/*.cpp autograd/*.cpp autograd/ops/*.cpp nn/*.cpp nn/optim/*.cpp \
             models/*/*.cpp models/*/*/*.cpp))
LESSONS := $(patsubst examples/%.cpp,%,$(wildcard examples/[0-9]*.cpp))
MATHEMATICS := $(patsubst examples/%.cpp,%,$(wildcard examples/mathematics/*.cpp))
PROGRAM := $(wildcard examples/smoe/*.cpp)
# The program but its main: tests are it, too. In double only what is asked of it by name.
PARTS   := $(filter-out examples/smoe/main.cpp,$(PROGRAM))
TESTED  := $(addprefix examples/smoe/,command_line.cpp flags.cpp golden.cpp options.cpp shell.cpp tables.cpp)
BENCH   := $(wildcard tests/bench/*.cpp)
EXERCISES := $(patsubst tests/exercises/%.cpp,%,$(wildcard tests/exercises/*.cpp))
FUZZERS := $(patsubst tests/fuzz/%.cpp,fuzz-%,$(wildcard tests/fuzz/*.cpp))
TESTS   := $(filter-out $(BENCH) tests/faults/% tests/fuzz/% tests/exercises/% tests/course/% tests/outside/% $(WITHOUT),$(wildcard tests/*.cpp tests/*/*.cpp tests/models/*/*.cpp)) \
           tests/bench/training_step.cpp

float  = $(patsubst %.cpp,$(OBJ)/float/%.o,$(1))
double = $(patsubst %.cpp,$(OBJ)/double/%.o,$(1))

.PHONY: all api install uninstall test-install demo evidence test test-mpi endurance soak asan ubsan sanitize tsan arm64 fuzz fuzz-serve tidy bench bench-torch load interop browser playground test-playground lessons book check-book exercise exercises course grade check-course deps check check-layers check-docs sloc format clean help
.DEFAULT_GOAL := all

all: $(BUILD)/smoe ## build the program build/smoe

demo: ## train a small story-teller on the built-in corpus and let it tell stories (a few minutes)
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@examples/demo.sh $(BUILD)/smoe $(BUILD)/demo

evidence: ## compare masks, separate experts and a dense network on the built-in corpus; print a table
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@[ -d $(BUILD)/evidence/text ] || $(BUILD)/smoe corpus -o $(BUILD)/evidence/text
	@cp examples/study/builtin.json $(BUILD)/evidence/plan.json
	@$(BUILD)/smoe study $(BUILD)/evidence/plan.json -o $(BUILD)/evidence

install: ## the library, its headers and the program, into PREFIX=/usr/local (below DESTDIR)
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe $(BUILD)/libsmoe.a
	@.packaging/install.sh install "$(abspath $(BUILD))" "$(PREFIX)" "$(LIBS)"

uninstall: ## remove from PREFIX what install put there
	@.packaging/install.sh uninstall "$(abspath $(BUILD))" "$(PREFIX)" "$(LIBS)"

test-install: ## build programs outside this tree with the installed library, by pkg-config and by CMake
	@CXX="$(CXX)" tests/install.sh $(MAKE) --no-print-directory

PRECISIONS ?= float double
test: ## build and run every test, in float and in double
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe $(PRECISIONS:%=$(BUILD)/tests-%) $(BUILD)/fault.so
	@tests/run.sh $(BUILD) $(PRECISIONS)

endurance: ## kill training runs at every call that changes the disk, and at 200 random instants
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe $(BUILD)/tests-float $(BUILD)/fault.so
	@SMOE_EVERY_MOMENT=1 SMOE_PROGRAM=$(abspath $(BUILD))/smoe SMOE_FAULT_LIBRARY=$(abspath $(BUILD))/fault.so \
	 $(BUILD)/tests-float --test-case='killed*' --duration=true

# The same objects as without MPI, but for one file; the program lies elsewhere, so that build/smoe stays.
KILLS ?= 5
test-mpi: ## train with 1 to 8 processes (Open MPI): equal bits, and after kills; KILLS=5 of them
	@$(MAKE) --no-print-directory deps-if-missing MPI=1
	@$(MAKE) --no-print-directory $(BUILD)/mpi/smoe $(BUILD)/fault.so MPI=1
	@tests/mpi.sh $(BUILD)/mpi/smoe $(BUILD)/fault.so $(BUILD)/mpi $(KILLS)

MINUTES ?= 120
soak: ## train for MINUTES=120 on TEXT=file (or the built-in corpus): memory must not grow
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@tests/soak.sh $(BUILD)/smoe $(BUILD)/soak $(MINUTES) $(TEXT)

# What is not hot is half of what there is to compile, and the sanitizers' checks double the work of optimising it.
SANITIZED := CXXFLAGS='-O1 -g1' COLD_OPTIMISATION=-O0

# Some tests load a library before the sanitizer's own, which it would refuse.
asan: ## every test under AddressSanitizer, leaks included
	@ASAN_OPTIONS=verify_asan_link_order=0 $(MAKE) --no-print-directory test BUILD=$(BUILD)/asan $(SANITIZED) \
	  SANITIZE='-fsanitize=address -fno-omit-frame-pointer'

BOTH_SANITIZERS := $(SANITIZED) \
  SANITIZE='-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer'
sanitize: ## every test in float under both of these at once, in the time of one
	@ASAN_OPTIONS=verify_asan_link_order=0 $(MAKE) --no-print-directory test PRECISIONS=float BUILD=$(BUILD)/sanitize $(BOTH_SANITIZERS)

ubsan: ## every test under UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory test BUILD=$(BUILD)/ubsan $(SANITIZED) \
	  SANITIZE='-fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all'

# Needs clang's OpenMP library, whose archer tells the sanitizer what it orders. One test replaces operator
# new, as the sanitizer does.
tsan: ## training, generation and serving under ThreadSanitizer (clang)
	@$(MAKE) --no-print-directory $(BUILD)/tsan/smoe $(BUILD)/tsan/tests-float BUILD=$(BUILD)/tsan CXX=$(CLANG) CXXFLAGS='-O1 -g' \
	  SANITIZE=-fsanitize=thread WITHOUT=tests/models/generation/generator_memory_test.cpp
	@OMP_NUM_THREADS=4 OMP_TOOL_LIBRARIES=libarcher.so TSAN_OPTIONS='ignore_noninstrumented_modules=1 halt_on_error=1' \
	 SMOE_PROGRAM=$(abspath $(BUILD))/tsan/smoe $(BUILD)/tsan/tests-float \
	  --test-case='trainer*,decoder*,generator*,joining*,scheduler*,incremental*,ops*,threads*,storage*,tokenizer*,serve*'

# The libraries that are only headers are those of this machine; fmt becomes one, too.
arm64: ## the tests of everything but the program, built for ARM64 without OpenBLAS, under qemu
	@mkdir -p $(BUILD)/arm64/include
	@for library in fmt nlohmann CLI doctest; do ln -sfn /usr/include/$$library $(BUILD)/arm64/include/$$library; done
	@$(MAKE) --no-print-directory $(BUILD)/arm64/tests-float BUILD=$(BUILD)/arm64 CXX=aarch64-linux-gnu-g++ ARCH=armv8-a \
	  BLAS=none HTTP=none FMT= LDFLAGS=-static CXXFLAGS='-O2 -DFMT_HEADER_ONLY -I$(abspath $(BUILD))/arm64/include'
	@OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive qemu-aarch64-static $(BUILD)/arm64/tests-float \
	  --source-file-exclude='*tests/examples/*'

SECONDS ?= 60
fuzz: ## hand broken files to every reader for SECONDS=60 each (clang)
	@$(MAKE) --no-print-directory fuzzers BUILD=$(BUILD)/fuzz CXX=$(CLANG) CXXFLAGS='-O1 -g' \
	  SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	@tests/fuzz/run.sh $(BUILD)/fuzz $(SECONDS)

REQUESTS ?= 100000
fuzz-serve: ## send REQUESTS=100000 hostile requests to smoe serve, built with both sanitizers
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/sanitize/smoe BUILD=$(BUILD)/sanitize $(BOTH_SANITIZERS)
	@ASAN_OPTIONS=verify_asan_link_order=0 python3 tests/fuzz/serve.py $(BUILD)/sanitize/smoe $(BUILD)/sanitize/serve $(REQUESTS)

.PHONY: fuzzers
fuzzers: $(addprefix $(BUILD)/,$(FUZZERS))

tidy: ## clang-tidy on all but the tests, with the checks of .clang-tidy
	@command -v $(CLANG_TIDY) >/dev/null || { echo "tidy needs $(CLANG_TIDY): install clang-tidy, or give CLANG_TIDY=NAME" >&2; exit 2; }
	@files=$$(git ls-files core autograd nn models examples | grep '\.cpp$$' | grep -v unicode_tables.cpp); \
	 echo $$files | tr ' ' '\n' | xargs -P $(shell nproc) -I FILE $(CLANG_TIDY) --quiet --warnings-as-errors='*' FILE \
	   -- $(FLAGS) 2>/dev/null && echo "tidy: $$(echo $$files | wc -w) files are in order"

bench: ## measure speed and memory (six to ten minutes) and write build/bench.md
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/bench
	@$(BUILD)/bench --markdown $(BUILD)/bench.md

LOAD_MINUTES ?= 10
load: ## 64 clients of smoe serve for LOAD_MINUTES=10, and its speed against smoe generate
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@python3 tests/bench/load.py $(BUILD)/smoe $(BUILD)/load --minutes $(LOAD_MINUTES)

bench-torch: ## compare with the same model in PyTorch, installed into build/venv; write build/bench-torch.md
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe $(BUILD)/bench
	@[ -d $(BUILD)/venv ] || python3 -m venv $(BUILD)/venv
	@$(BUILD)/venv/bin/pip install -q -r tests/bench/requirements.txt
	@$(BUILD)/venv/bin/python tests/bench/compare_torch.py --build $(BUILD) --markdown $(BUILD)/bench-torch.md

interop: ## check against PyTorch, transformers, tokenizers and others, installed into build/venv (a few minutes)
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@[ -d $(BUILD)/venv ] || python3 -m venv $(BUILD)/venv
	@$(BUILD)/venv/bin/pip install -q -r tests/interop/requirements.txt
	@$(BUILD)/venv/bin/python tests/interop/check.py --build $(BUILD)

browser: ## use the book and the pages of smoe report, study and serve in headless Chromium, which must be there; screenshots in build/report
	@$(MAKE) --no-print-directory deps-if-missing
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@[ -d $(BUILD)/venv ] || python3 -m venv $(BUILD)/venv
	@$(BUILD)/venv/bin/pip install -q -r tests/report/requirements.txt
	@$(BUILD)/venv/bin/python tests/report/check.py --build $(BUILD)
	@$(MAKE) --no-print-directory book
	@$(BUILD)/venv/bin/python tests/report/book.py --build $(BUILD)

# The module is what the program serves with, for one thread and without libraries. Emscripten's own files, which make a
# few of its libraries on the way, go where everybody may write.
RUN ?=
OUT ?= playground.html
MODULE := $(filter core/% autograd/% nn/% models/generation/% models/transformer/%,$(SOURCES)) $(wildcard models/text/*.cpp) \
          models/training/config.cpp models/training/run_directory.cpp \
          $(addprefix examples/smoe/,serve_exchange.cpp serve_model.cpp serve_reply.cpp serve_request.cpp token_json.cpp) \
          examples/playground/module.cpp
playground: ## a page that holds the model of RUN=runs/mine and needs no server: OUT=playground.html
	@[ -n "$(RUN)" ] || { echo "make playground RUN=runs/mine" >&2; exit 2; }
	@$(MAKE) --no-print-directory deps-if-missing PLAYGROUND=1
	@$(MAKE) --no-print-directory $(BUILD)/smoe $(BUILD)/playground/page
	@mkdir -p $(BUILD)/playground/include
	@for library in fmt nlohmann; do ln -sfn $(or $(BREW),/usr)/include/$$library $(BUILD)/playground/include/$$library; done
	@$(MAKE) --no-print-directory $(BUILD)/playground/module.js BUILD=$(BUILD)/playground CXX=em++ ARCH_FLAG=-msimd128 \
	  OPENMP_FLAGS=-fopenmp-simd BLAS=none HTTP=none FMT= CXXFLAGS='-O3 -fwasm-exceptions -DFMT_HEADER_ONLY \
	  -I$(BUILD)/playground/include -include examples/playground/missing_library.h'
	@rm -rf $(BUILD)/playground/run
	@$(BUILD)/smoe export "$(RUN)" --hf $(BUILD)/playground/run --dtype bfloat16 >/dev/null
	@$(BUILD)/playground/page $(BUILD)/playground/module.js $(BUILD)/playground/run "$(notdir $(RUN:%/=%))" "$(OUT)"

test-playground: ## make playgrounds, use them in headless Chromium, and compare them with the program (some minutes)
	@$(MAKE) --no-print-directory deps-if-missing PLAYGROUND=1
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@[ -d $(BUILD)/venv ] || python3 -m venv $(BUILD)/venv
	@$(BUILD)/venv/bin/pip install -q -r tests/report/requirements.txt
	@$(BUILD)/venv/bin/python tests/report/playground.py $(BUILD)

api: ## the reference of the library's interface, by Doxygen from the headers: build/api/html/index.html
	@command -v doxygen >/dev/null || { echo "make api needs doxygen: install the package doxygen" >&2; exit 2; }
	@mkdir -p $(BUILD)
	@{ cat .packaging/Doxyfile; echo "OUTPUT_DIRECTORY = $(BUILD)/api"; } | doxygen -
	@echo $(BUILD)/api/html/index.html

lessons: $(addprefix $(BUILD)/lessons/,$(LESSONS) $(MATHEMATICS)) ## run every lesson, which checks its own claim, and the derivations
	@for lesson in $(LESSONS); do echo "== $(BUILD)/lessons/$$lesson"; .book/run_lesson.sh $(BUILD)/lessons/$$lesson || exit 1; done
	@examples/mathematics/check.sh $(BUILD)/lessons/mathematics

# What a lesson printed and drew is kept, so that the book need not run those again that have not changed.
$(BUILD)/lessons/%.txt: $(BUILD)/lessons/%
	@.book/run_lesson.sh $< >/dev/null

.PHONY: lessons-printed
lessons-printed: $(patsubst %,$(BUILD)/lessons/%.txt,$(LESSONS) $(MATHEMATICS))

book: ## chapters, lessons with what they print and draw, mathematics and slides as pages for a browser: build/book/index.html
	@$(MAKE) --no-print-directory deps-if-missing BOOK=1
	@$(MAKE) --no-print-directory lessons-printed
	@.book/weave.sh $(BUILD)

check-book: ## every link, trace, printed line and number of the book (after make book)
	@$(MAKE) --no-print-directory $(BUILD)/smoe
	@tests/check_book.sh $(BUILD)

# What the test of an exercise is linked with, in double, where gradients can be checked closely: the layers up to that
# of its chapter, so that the first exercise of core does not wait for the language models.
EXERCISE_LAYERS_core     := core/%
EXERCISE_LAYERS_autograd := core/% autograd/% tests/autograd/%
EXERCISE_LAYERS_nn       := $(EXERCISE_LAYERS_autograd) nn/%
EXERCISE_LAYERS = $(or $(EXERCISE_LAYERS_$(firstword $(subst _, ,$(NAME)))),%)
EXERCISE_PARTS  = $(call double,tests/main.cpp $(filter $(EXERCISE_LAYERS),tests/autograd/gradient_check.cpp $(SOURCES)))
# Says so if many of these objects are not there yet.
announce = to_do=$(words $(filter-out $(wildcard $(1)),$(1))); [ $$to_do -lt 9 ] || \
  echo "Building $$to_do files of the library in double precision, once: a few seconds each."

exercise: ## test your solution of an exercise: NAME=core_pi FILE=mine.cpp (a new FILE gets the starter)
	@[ -f "tests/exercises/$(NAME).cpp" ] && [ -n "$(FILE)" ] || \
	  { echo "make exercise NAME=core_pi FILE=mine.cpp; exercises: $(EXERCISES)" >&2; exit 2; }
	@if [ -e "$(FILE)" ]; then $(MAKE) --no-print-directory exercise-of-reader; else \
	  cp tests/exercises/starters/$(NAME).cpp "$(FILE)" && \
	  echo "$(FILE) is new, with the function to write. tests/exercises/$(NAME).cpp says what it should do;" && \
	  echo "then run the same command again, and it tests what you wrote."; fi

.PHONY: exercise-of-reader exercise-announced
exercise-announced:
	@$(call announce,$(EXERCISE_PARTS))

exercise-of-reader: $(OBJ)/double/tests/exercises/$(NAME).o $(EXERCISE_PARTS) | exercise-announced
	@mkdir -p $(BUILD)/exercises
	@$(CXX) $(FLAGS) -Wno-unused-parameter -DSMOE_DOUBLE "$(FILE)" $(LDFLAGS) $^ $(LIBS) -o $(BUILD)/exercises/mine
	@$(BUILD)/exercises/mine

# Each exercise must have a level, minutes, two hints and a starter; its solution must pass, and its starter must not.
# So must no naive solution, where there is one.
NAIVE := $(patsubst tests/exercises/%.cpp,%,$(wildcard tests/exercises/naive/*.cpp))
exercises: $(addprefix $(BUILD)/exercises/,$(EXERCISES) $(EXERCISES:%=starters/%) $(NAIVE)) ## every exercise can be solved, but not by the naive
	@for name in $(EXERCISES); do \
	  grep -q '^// Level [123] of 3, about [0-9]* minutes' tests/exercises/$$name.cpp && \
	  [ "$$(grep -c '^// Hint [12]: ' tests/exercises/$$name.cpp)" = 2 ] || \
	  { echo "tests/exercises/$$name.cpp needs a level, minutes and two hints" >&2; exit 1; }; \
	  echo "== $$name"; $(BUILD)/exercises/$$name --minimal || exit 1; done
	@for name in $(EXERCISES:%=starters/%) $(NAIVE); do \
	  ! $(BUILD)/exercises/$$name --minimal >/dev/null 2>&1 || { echo "$$name passes the test of the exercise" >&2; exit 1; }; done
	@echo "$(words $(EXERCISES)) exercises: solutions pass; $(words $(EXERCISES)) starters and $(words $(NAIVE)) naive solutions do not"

# The course. A stage is tested in double, and linked with what it is about and what lies below, so that the first stages
# do not wait for the language models.
STAGES := 1 2 3 4 5 6 7 8 9 10
STAGE_1  := core/%
STAGE_2  := core/% autograd/variable.cpp autograd/engine.cpp
STAGE_3  := core/% autograd/% tests/autograd/%
STAGE_4  := $(STAGE_3)
STAGE_5  := $(STAGE_3) nn/% tests/nn/step_test.cpp
STAGE_6  := $(filter-out tests/nn/step_test.cpp,$(STAGE_5)) tests/nn/optimizer_test.cpp tests/nn/parameter_groups_test.cpp
STAGE_7  := core/% models/text/% $(addprefix tests/models/text/,bpe_trainer_test.cpp tokenizer_test.cpp)
STAGE_8  := $(STAGE_3) nn/%
STAGE_9  := $(STAGE_5) models/transformer/% models/text/% tests/models/transformer/incremental_decoder_test.cpp
STAGE_10 := core/% autograd/% nn/% models/% tests/models/generation/sampling_test.cpp
COURSE_TESTS := tests/autograd/gradient_check.cpp tests/autograd/textbook.cpp tests/autograd/textbook_layout.cpp $(filter-out tests/autograd/% tests/course/%,$(TESTS))

course: ## build it yourself: a new tree DIR=mine, in which tensor, tape, ops, layers and more are yours to write
	@[ -n "$(DIR)" ] || { echo "make course DIR=mine" >&2; exit 2; }
	@tests/course/cut.sh "$(DIR)" $(OBJ)/double

# In the tree of the course: make stage-1, make stage-2 and so on, or a function of it with ONLY=relu. In the project
# itself every stage passes.
stage-%: $(BUILD)/course/stage_%
	@tests/course/grade.sh $(BUILD) $* $(ONLY)

# With DIR the functions of that tree are put into a new one, where nothing else can have been changed.
grade: ## the points of the course as JSON in build/grade.json, for this tree or for DIR=mine
	@rm -f $(BUILD)/course/stage_* $(BUILD)/grade.json
	+@if [ -n "$(DIR)" ]; then tests/course/regrade.sh "$(DIR)" $(BUILD) $(OBJ)/double; else \
	  $(MAKE) --no-print-directory --keep-going $(STAGES:%=$(BUILD)/course/stage_%); tests/course/grade.sh $(BUILD); fi

# Most of its time is compiling: the files with open functions, once with holes and once with a switch for each.
check-course: $(STAGES:%=$(BUILD)/course/stage_%) ## is each function that is left open noticed, by the test of its stage?
	+@tests/course/check.sh $(BUILD) $(OBJ)/double

deps: ## install the packages that are missing (apt, dnf, pacman or brew)
	@BLAS=$(BLAS) HTTP=$(HTTP) MPI=$(MPI) BOOK=$(BOOK) PLAYGROUND=$(PLAYGROUND) CXX="$(CXX)" .ci/install_dependencies.sh

.PHONY: deps-if-missing
deps-if-missing:
	@BLAS=$(BLAS) HTTP=$(HTTP) MPI=$(MPI) BOOK=$(BOOK) PLAYGROUND=$(PLAYGROUND) CXX="$(CXX)" .ci/install_dependencies.sh --quiet

# How the sources are laid out is not left out in silence where this is missing.
NEEDS_CLANG_FORMAT = command -v clang-format >/dev/null || { echo "make $@ needs clang-format: install the package \
clang-format (with pacman: clang)" >&2; exit 2; }

check: check-layers check-docs ## layers, documents and formatting
	@$(NEEDS_CLANG_FORMAT)
	@files=$$(git ls-files '*.h' '*.cpp' | grep -v unicode_tables.cpp); \
	 clang-format --dry-run --Werror $$files && echo "format: $$(echo $$files | wc -w) files are in order"

check-layers: ## fail when a folder includes from one to its right: core, autograd, nn, models, examples
	@tests/check_layers.sh

check-docs: ## fail when a document or a "Read next:" names a file, function or target that is not there
	@tests/check_docs.sh

sloc: ## lines of code by folder; fail above a folder's budget, or for a file of more than 400 lines
	@tests/sloc.sh

format: ## rewrite the sources with clang-format
	@$(NEEDS_CLANG_FORMAT)
	@clang-format -i $$(git ls-files '*.h' '*.cpp' | grep -v unicode_tables.cpp)

clean: ## remove the build folder
	rm -rf $(BUILD)

help: ## this list
	@echo "Targets:"
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | \
	  awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo "Settings: CXX=clang++, ARCH=x86-64-v3 (portable binary; default native), BLAS=none (own product), HTTP=none (no smoe serve), MPI=1 (several processes), BUILD=DIR"

# Linking goes through a stamp of the configuration, so that a change of it links again.
$(BUILD)/smoe: $(call float,$(SOURCES) $(PROGRAM)) $(OBJ)/configuration
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(HTTP_LIBS) $(LIBS) -o $@

$(BUILD)/playground/page: $(call float,$(SOURCES) $(PARTS) examples/playground/page.cpp) $(OBJ)/configuration
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(HTTP_LIBS) $(LIBS) -o $@

# Emscripten uses modules of Node that Debian keeps where only its own Node looks.
$(BUILD)/module.js: $(call float,$(MODULE)) examples/playground/worker.js $(OBJ)/configuration
	NODE_PATH=/usr/share/nodejs $(CXX) $(CXXFLAGS) $(filter %.o,$^) --extern-post-js examples/playground/worker.js -o $@ -sMODULARIZE -sEXPORT_NAME=smoe_module \
	  -sENVIRONMENT=worker -sSINGLE_FILE -sALLOW_MEMORY_GROWTH -sEXPORTED_RUNTIME_METHODS=FS,ccall -sFORCE_FILESYSTEM

$(BUILD)/mpi/smoe: $(call float,$(SOURCES) $(PROGRAM)) $(OBJ)/configuration
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(HTTP_LIBS) $(LIBS) -o $@

# Appended, since members of one name in two folders would replace each other.
$(BUILD)/libsmoe.a: $(call float,$(SOURCES)) $(OBJ)/configuration
	@rm -f $@
	$(AR) qcs $@ $(filter %.o,$^)

$(BUILD)/lessons/%: $(OBJ)/float/examples/%.o $(call float,$(SOURCES)) $(OBJ)/configuration
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -o $@

$(BUILD)/bench: $(call float,$(SOURCES) $(BENCH)) $(OBJ)/configuration
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -o $@

$(BUILD)/tests-float: $(call float,$(SOURCES) $(PARTS) $(TESTS)) $(OBJ)/configuration
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(HTTP_LIBS) $(LIBS) -o $@

$(BUILD)/tests-double: $(call double,$(SOURCES) $(TESTED) $(TESTS)) $(OBJ)/configuration
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(HTTP_LIBS) $(LIBS) -o $@

$(BUILD)/fuzz-%: $(OBJ)/float/tests/fuzz/%.o $(call float,$(SOURCES)) $(OBJ)/configuration
	$(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -fsanitize=fuzzer -o $@

$(BUILD)/exercises/%: $(OBJ)/double/tests/exercises/%.o $(OBJ)/double/tests/exercises/solutions/%.o $(EXERCISE_PARTS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/exercises/starters/%: $(OBJ)/double/tests/exercises/%.o $(OBJ)/double/tests/exercises/starters/%.o $(EXERCISE_PARTS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/exercises/naive/%: $(OBJ)/double/tests/exercises/%.o $(OBJ)/double/tests/exercises/naive/%.o $(EXERCISE_PARTS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ $(LIBS) -o $@

$(call double,$(wildcard tests/exercises/starters/*.cpp)): FLAGS += -Wno-unused-parameter

stage_parts = $(call double,tests/main.cpp $(wildcard tests/course/stage_$(1).cpp) $(filter $(STAGE_$(1)),$(SOURCES) $(COURSE_TESTS)))
$(foreach stage,$(STAGES),$(eval $(BUILD)/course/stage_$(stage): $(call stage_parts,$(stage)) | announce-stage-$(stage)))
announce-stage-%:
	@$(call announce,$(call stage_parts,$*))
$(STAGES:%=$(BUILD)/course/stage_%): $(BUILD)/course/%:
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS) $^ $(LIBS) -o $@

# A function that is still to be written uses none of its parameters, nor what is there to help it.
ifneq ($(wildcard COURSE.md),)
.SILENT:
$(OBJ)/%.o: FLAGS += -Wno-unused -Wno-unused-parameter
endif

# Loaded into the program by tests that let its disk fail.
$(BUILD)/fault.so: tests/faults/fault.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O1 -Wall -Wextra -shared -fPIC $< -o $@

# Touched whenever this configuration is not the one used last.
$(OBJ)/configuration: $(if $(filter $(KEY)-$(MPI),$(shell cat $(BUILD)/last 2>/dev/null)),,FORCE)
	@mkdir -p $(@D) && echo $(KEY)-$(MPI) > $(BUILD)/last && touch $@

.PHONY: FORCE
FORCE:

# Nothing is hot in the command line, in tests and where JSON is read, and this way they compile in two
# thirds of the time.
COLD_OPTIMISATION ?= -O1
COLD := $(PROGRAM) $(TESTS) core/safetensors.cpp models/text/json_lines.cpp models/text/tokenizer_json.cpp \
        $(addprefix models/training/,config.cpp metrics.cpp run_directory.cpp training_loop.cpp)
$(call float,$(COLD)) $(call double,$(COLD)): FLAGS += $(COLD_OPTIMISATION)

$(call float,examples/smoe/serve_http.cpp): FLAGS += $(HTTP_FLAGS)

# Tiles of different sizes must round alike: no compiler may fuse a product and a sum in some of them only.
$(call float,core/matvec.cpp) $(call double,core/matvec.cpp): FLAGS += -ffp-contract=off

# These round alike in every build, with sanitizers too: below -O2, g++ fuses no product and sum. A neuron of a golden
# file lies so close to zero that this decides whether it is on.
KERNELS := core/row_products.cpp core/tiles/tile.cpp
$(call float,$(KERNELS)) $(call double,$(KERNELS)): FLAGS += -O3

# The program looks for these instructions before it uses what is compiled for them.
ifneq ($(filter x86_64%,$(shell $(CXX) -dumpmachine 2>/dev/null)),)
$(OBJ)/float/core/tiles/tile_avx512_bf16.o: FLAGS += -mavx512f -mavx512vl -mavx512bf16 -mfma
$(OBJ)/float/core/tiles/tile_amx.o: FLAGS += -mamx-tile -mamx-bf16
endif

$(OBJ)/float/core/processes_mpi.o $(OBJ)/double/core/processes_mpi.o: FLAGS += -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX $(shell pkg-config --cflags $(MPI_PACKAGE) 2>/dev/null)

$(OBJ)/float/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(FLAGS) -MMD -MP -c $< -o $@

$(OBJ)/double/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(FLAGS) -DSMOE_DOUBLE -MMD -MP -c $< -o $@

.SECONDARY:
# Every file that was compiled before has written down what it includes.
-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
