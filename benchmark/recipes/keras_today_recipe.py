"""The article's recipe as Keras teaches it today: python benchmark/recipes/keras_today_recipe.py FOLDER BACKBONE.

As in keras.io's guide to transfer learning: image_dataset_from_directory, layers that augment, a frozen backbone called
with training=False. Arguments and output are those of keras_recipe.py; nothing of this project is imported.
"""

import argparse
import json
import math
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers
from sklearn.metrics import accuracy_score, log_loss


def main(options):
    started = time.perf_counter()
    keras.utils.set_random_seed(options.seed)

    # data: files in random order (of a buffer of eight batches), TensorFlow's decoder, bilinear without antialias
    train = keras.utils.image_dataset_from_directory(f"{options.folder}/train", image_size=(224, 224), batch_size=32,
                                                     seed=options.seed, verbose=False)
    validation = keras.utils.image_dataset_from_directory(f"{options.folder}/validation", image_size=(224, 224),
                                                          batch_size=32, shuffle=False, verbose=False)
    classes, files = train.class_names, [Path(path) for path in validation.file_paths]

    # augmentation: RandomShear takes the tangent of the angle; RandomZoom with one factor keeps the aspect ratio
    augmentation = [layers.RandomFlip("horizontal"), layers.RandomShear(x_factor=math.tan(math.radians(10))),
                    layers.RandomZoom(0.2)]

    # the network
    backbone = keras.saving.load_model(options.backbone)
    backbone.trainable = False
    inputs = x = keras.Input((224, 224, 3))
    for layer in augmentation:
        x = layer(x)
    x = backbone(x, training=False)
    x = layers.Dense(128, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(len(classes), activation="softmax")(x))
    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(), metrics=["accuracy"])

    # training
    model.fit(train, epochs=options.epochs, verbose=0)
    probabilities = model.predict(validation, verbose=0)

    labels = np.array([classes.index(file.parent.name) for file in files])
    print(json.dumps({
        "recipe": "keras as taught today", "seed": options.seed, "classes": classes,
        "accuracy": accuracy_score(labels, probabilities.argmax(axis=1)),
        "log_loss": log_loss(labels, probabilities, labels=np.arange(len(classes))),
        "seconds": round(time.perf_counter() - started, 1),
        "probabilities": {f"{file.parent.name}/{file.name}": row for file, row in zip(files, probabilities.tolist())},
    }))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("backbone")
    parser.add_argument("--seed", type=int, default=0, help="of shuffling, views and initial weights")
    parser.add_argument("--epochs", type=int, default=3)
    main(parser.parse_args())
