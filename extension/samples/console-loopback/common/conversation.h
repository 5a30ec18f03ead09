/* What the two terminals say to each other, and where a line ends. */
#ifndef COMMON_CONVERSATION_H
#define COMMON_CONVERSATION_H

#define LINE_MAX 600U
#define LEFT_NAME "left"
#define RIGHT_NAME "right"
#define FAREWELL "bye"
#define LISTENING '!' /* the one who answers, when its console is open */

#endif
