// The library by one include, for programs of your own: tensors, gradients, layers, language
// models, text, training and writing. What it includes shows the way from one folder to the next.
// Read next: tests/outside/main.cpp, a program that uses it; examples/README.md.
#pragma once

#include "core/check.h"
#include "core/file.h"
#include "core/format.h"
#include "core/rng.h"
#include "core/safetensors.h"
#include "core/tensor.h"
#include "core/threads.h"
#include "core/version.h"

#include "autograd/autocast.h"
#include "autograd/engine.h"
#include "autograd/ops.h"
#include "autograd/variable.h"

#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/flat_parameters.h"
#include "nn/layers.h"
#include "nn/linear.h"
#include "nn/masks.h"
#include "nn/module.h"
#include "nn/optim/optimizer.h"

#include "models/generation/generator.h"
#include "models/text/corpus/corpus.h"
#include "models/text/dataset.h"
#include "models/text/story_split.h"
#include "models/text/tokenizer.h"
#include "models/training/config.h"
#include "models/training/evaluation.h"
#include "models/training/run_directory.h"
#include "models/training/trainer.h"
#include "models/training/training_loop.h"
#include "models/transformer/single_moe.h"
