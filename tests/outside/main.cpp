// A program of somebody else's, which knows the library as `make install` left it: it trains a tiny
// network on the built-in corpus, sees its loss fall, and lets it tell a story.
// Read next: CMakeLists.txt beside it, and tests/install.sh, which builds both.
#include <smoe/smoe.h>

#include <cstdio>
#include <string_view>
#include <vector>

#if SMOE_VERSION_MAJOR > 0 || SMOE_VERSION_MINOR < 1
#error "this program was written for smoe 0.1"
#endif

int main() {
    std::vector<smoe::Story> stories;
    std::vector<std::string_view> texts;
    for (uint64_t i = 0; i < 200; ++i) {
        stories.push_back(smoe::corpus_story(1, i));
    }
    for (const smoe::Story& story : stories) {
        texts.push_back(story.text);
    }
    const smoe::Tokenizer tokenizer = smoe::Tokenizer::train(texts, 300, smoe::PreTokenizer::gpt2);

    smoe::Config config = smoe::preset("tiny");
    config.model.vocab_size = tokenizer.vocab_size();
    config.model.sizes = {.width = 32, .layers = 1, .heads = 2, .hidden = 64, .dropout = 0};
    config.model.router.kind = "hash";
    config.optim.warmup = 10;
    const smoe::Dataset data(stories, tokenizer, smoe::dataset_settings(config));
    smoe::Trainer trainer(config, data);
    const double before = trainer.step().loss;
    double after = before;
    for (int step = 2; step <= 80; ++step) {
        after = trainer.step().loss;
    }
    std::printf("smoe %s: loss %.2f -> %.2f\n", SMOE_VERSION, before, after);

    const smoe::Trainer::EvaluationMode evaluation_mode(trainer);
    smoe::Generator generator(trainer.moe(), tokenizer.end_of_text(), 1);
    generator.run(tokenizer.encode("Once upon a time"), {}, 1, 60, [&](const auto& token) {
        const std::string bytes(tokenizer.token_bytes(token.id));
        std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    });
    std::printf("\n");
    return after < before - 1 ? 0 : 1;
}
