/* policy/words.h - the words a key may have, in the order of the enum that each stands for. */
#ifndef CARREL_POLICY_WORDS_H
#define CARREL_POLICY_WORDS_H

/* Each ends in NULL. */
extern const char *const action_words[];
extern const char *const home_words[];
extern const char *const network_words[];
extern const char *const storage_words[];

#endif
