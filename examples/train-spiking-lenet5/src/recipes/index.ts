export { augmentationOf, type Recipe, type RecipeData, type RecipeStart } from './recipe.ts'
export { RECIPES, recipeNamed } from './recipes.ts'
